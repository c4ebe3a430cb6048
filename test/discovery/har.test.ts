import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discover } from '../../src/discovery/discovery.ts';
import { HarEntries } from '../../src/discovery/har-entries.ts';
import { readHarEntry } from '../../src/discovery/har-entry.ts';
import type { ReadOutcome } from '../../src/discovery/read-traffic.ts';
import { readTraffic } from '../../src/discovery/read-traffic.ts';
import { FILE_LIMITS, Traffic } from '../../src/discovery/traffic.ts';
import type { DiscoveryReport } from '../../src/shared/discovery-report.ts';
import type { HarRequest } from './har-writer.ts';
import { writeHar } from './har-writer.ts';
import { BEGIN_MS, inShort } from './scenes.ts';

const SITE = 'https://shop.example';

function poll(
  url: string,
  everyMs: number,
  times: number,
  other: Partial<HarRequest> = {},
): HarRequest[] {
  return Array.from({ length: times }, (_, i) => {
    const atMs = BEGIN_MS + 500 + i * everyMs;
    return {
      atMs,
      url: `${SITE}${url}`.replace('NOW', String(atMs)),
      body: `{"n":${i >> 1}}`,
      ...other,
    };
  });
}

const PAGE: HarRequest = {
  atMs: BEGIN_MS,
  url: `${SITE}/board`,
  body: '<!doctype html>',
  requestHeaders: { Accept: 'text/html,*/*;q=0.1' },
  responseHeaders: { 'content-type': 'text/html; charset=utf-8' },
};

async function read(
  ...texts: readonly string[]
): Promise<{ outcome: ReadOutcome; report: DiscoveryReport }> {
  const traffic = new Traffic({ limits: FILE_LIMITS, key: [3, 4], texts: 'keep' });
  let outcome: ReadOutcome = { format: 'empty', read: 0, unreadable: 0 };
  for (const [i, text] of texts.entries()) {
    const bytes = Buffer.from(text);
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += 1_000) yield bytes.subarray(at, at + 1_000);
    }
    outcome = await readTraffic(chunks(), `recording ${i}`, traffic);
  }
  return { outcome, report: discover(traffic, { kind: 'files', unreadable: outcome.unreadable }) };
}

test("Chrome's recording without credentials is read: polls, images, pushes, and nothing of other kinds", async () => {
  const from = { requestHeaders: { Referer: `${SITE}/board` } };
  const har = writeHar(
    [
      { ...PAGE, extra: { _resourceType: 'document' } },
      ...poll('/api/status?_=NOW', 2_000, 20, { ...from, extra: { _resourceType: 'xhr' } }),
      ...poll('/camera.png?_=NOW', 3_000, 14, {
        ...from,
        responseHeaders: { 'content-type': 'image/png' },
        extra: { _resourceType: 'image' },
      }),
      ...poll('/app.js', 2_000, 20, {
        responseHeaders: { 'content-type': 'text/javascript' },
        extra: { _resourceType: 'script' },
      }),
      ...poll('/cached', 2_000, 20, { extra: { _resourceType: 'fetch', _fromCache: 'disk' } }),
      ...poll('/next', 2_000, 20, { requestHeaders: { 'Sec-Purpose': 'prefetch' } }),
      ...poll('/blocked', 2_000, 20, { status: 0, extra: { _resourceType: 'xhr' } }),
      {
        atMs: BEGIN_MS + 40,
        url: `${SITE}/events`,
        extra: { _resourceType: 'eventsource' },
        responseHeaders: { 'content-type': 'text/event-stream' },
      },
      {
        atMs: BEGIN_MS + 50,
        url: `wss://shop.example/socket`,
        status: 101,
        extra: { _resourceType: 'websocket' },
      },
      { atMs: BEGIN_MS + 60, url: 'data:image/gif;base64,R0lGODlhAQABAA==', status: 200 },
    ],
    'WebInspector',
  );
  const { outcome, report } = await read(har);
  assert.deepEqual([outcome.format, outcome.unreadable], ['har', 0]);
  assert.deepEqual(inShort(report), [
    'image GET /camera.png every 3000',
    'poll GET /api/status every 2000',
    'push GET /events',
    'push GET /socket',
  ]);
  assert.deepEqual(report.found.find(({ kind }) => kind === 'poll')?.pages, ['/board']);
  assert.equal(report.found.find(({ kind }) => kind === 'poll')?.sharing.kind, 'unknown');
});

test("Firefox's recording is read without the fields that Chrome adds", async () => {
  const empty = {
    Referer: `${SITE}/board`,
    'Sec-Fetch-Dest': 'empty',
    Cookie: 'PHPSESSID=hunter2',
  };
  const { report } = await read(
    writeHar(
      [
        PAGE,
        ...poll('/status.php', 4_000, 10, {
          requestHeaders: empty,
          responseHeaders: { 'content-type': 'text/html', ETag: '"1"' },
        }),
        ...poll('/style.css', 4_000, 10, { responseHeaders: { 'content-type': 'text/css' } }),
      ],
      'Firefox',
    ),
  );
  assert.deepEqual(inShort(report), ['poll GET /status.php every 4000']);
  assert.match(report.config ?? '', /"vary": \["cookie:PHPSESSID"\]/);
  assert.ok(!JSON.stringify(report).includes('hunter2'));
});

test('polls by POST are told from actions of the same URL by their bodies', async () => {
  const json = (value: object) => ({ mimeType: 'application/json', text: JSON.stringify(value) });
  const calls = poll('/rpc', 3_000, 15).map((request, i) => ({
    ...request,
    method: 'POST',
    postData: json({ method: 'session-stats', id: i }),
  }));
  const action = {
    atMs: BEGIN_MS + 9_500,
    url: `${SITE}/rpc`,
    method: 'POST',
    body: '{}',
    postData: json({ method: 'torrent-add', id: 99 }),
  };
  const form = poll('/ajax.php', 5_000, 10).map((request) => ({
    ...request,
    method: 'POST',
    postData: {
      mimeType: 'application/x-www-form-urlencoded; charset=UTF-8',
      text: 'action=refresh&list=open',
    },
  }));
  const { report } = await read(writeHar([PAGE, ...calls, action, ...form]));
  assert.match(report.config ?? '', /"match": \{ "body": \{ "\/method": "session-stats" \} \}/);
  assert.match(report.config ?? '', /"match": \{ "body": \{ "action": "refresh" \} \}/);
});

test('recordings of two people show what is personal', async () => {
  const of = (name: string) =>
    writeHar([
      PAGE,
      ...poll('/orders', 2_000, 30, { requestHeaders: { Cookie: 'SID=x' } }).map((request, i) => ({
        ...request,
        body: `${name} ${i >> 3}`,
      })),
    ]);
  const { report } = await read(of('anna'), of('ben'));
  assert.deepEqual([report.looked.clients, report.found[0]?.sharing.kind], [2, 'personal']);
});

test('entries are found wherever the file is cut into pieces, and with any spacing', () => {
  const requests = [PAGE, ...poll('/a?q="}]{\\', 1_000, 3, { body: '"\\"}]\u00e4\u{1f600}' })];
  const compact = JSON.stringify(JSON.parse(writeHar(requests)));
  for (const text of [writeHar(requests), compact, `\uFEFF${compact}`]) {
    const bytes = Buffer.from(text);
    for (const size of [1, 2, 3, 64, 1_021, bytes.length]) {
      const entries = new HarEntries();
      const found: unknown[] = [];
      for (let at = 0; at < bytes.length; at += size)
        found.push(...entries.push(bytes.subarray(at, at + size)));
      const urls = found.map(
        (entry) => (JSON.parse(String(entry)) as { request: { url: string } }).request.url,
      );
      assert.deepEqual(
        urls,
        requests.map(({ url }) => url),
        `in pieces of ${size}`,
      );
      assert.ok(entries.isWhole);
    }
  }
});

test('long bodies are left out, whole, and entries that are too long are counted', () => {
  const long = `${'\\u00e4"'.repeat(500)}end`;
  const text = writeHar([
    { ...PAGE, body: long },
    { ...PAGE, url: `${SITE}/next` },
  ]);
  for (const size of [1, 5, 333, text.length]) {
    const entries = new HarEntries({ maxTextBytes: 400 });
    const found: (string | undefined)[] = [];
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size)
      found.push(...entries.push(bytes.subarray(at, at + size)));
    const [first, second] = found.map((entry) => readHarEntry(entry ?? '', 'x'));
    assert.deepEqual(
      [first?.target, first?.content, second?.target],
      ['/board', undefined, '/next'],
    );
    assert.equal(first?.bytes, Buffer.byteLength(long));
  }
  const entries = new HarEntries({ maxEntryBytes: 300 });
  assert.deepEqual(entries.push(Buffer.from(text)), [undefined, undefined]);
});

test('a recording that ends in the middle is read up to there', async () => {
  const text = writeHar([PAGE, ...poll('/api/status', 2_000, 20)]);
  const { outcome, report } = await read(text.slice(0, text.length - 900));
  assert.match(outcome.problem ?? '', /ends in the middle/);
  assert.deepEqual(inShort(report), ['poll GET /api/status every 2000']);
});

test('entries that are none are counted: nothing that stands in a file ends the reading', async () => {
  const odd = [
    null,
    7,
    {},
    { request: {}, response: null },
    { startedDateTime: 'x', request: { url: 5 } },
  ];
  const text = JSON.stringify({
    log: { entries: [...odd, JSON.parse(writeHar([PAGE])).log.entries[0]] },
  });
  const { outcome } = await read(text);
  assert.deepEqual(outcome, { format: 'har', read: 1, unreadable: 3 });
});
