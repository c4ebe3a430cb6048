import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { openEventStream } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';
import type { SiteState } from './states-site.ts';
import { EVERY_MS, openTrying, PATIENCE_MS } from './trying.ts';

test('plain requests pass untouched, and their answers are compared with the state', async (t) => {
  const { site, ask, untilCounted, proxy } = await openTrying(t);
  for (let i = 1; i <= 3; i++) {
    const { answer, body } = await ask();
    assert.equal(body, '{"n":1}');
    assert.equal(answer.headers.get('cache-status'), null);
    assert.equal(answer.headers.get('comet-live'), null);
    const counts = { requests: i, saved: i, matched: i, mismatched: 0, incomparable: {} };
    assert.deepEqual(await untilCounted('matched', i), counts);
  }
  assert.deepEqual([site.pages('/x'), site.polls('/x')], [3, 1], 'as absorbing would poll');
  assert.deepEqual(told(proxy.lines), []);
});

test('an answer that is no state from the request until an interval after it is a mismatch', async (t) => {
  const { clock, ask, differ, report, untilCounted, proxy } = await openTrying(t);
  differ({ body: '{"n":1,"secret":"s3cret"}' });
  for (let i = 1; i <= 3; i++) {
    assert.equal((await ask()).body, '{"n":1,"secret":"s3cret"}');
    await untilCounted('saved', i);
    await clock.advance(EVERY_MS + 1);
  }
  await clock.advance(PATIENCE_MS);
  // The last one was followed by no poll.
  await untilCounted('incomparable', 1);
  const { matched, mismatched, incomparable } = await report();
  assert.deepEqual([matched, mismatched, incomparable], [0, 2, { unconfirmed: 1 }]);
  const [line, ...more] = told(proxy.lines);
  assert.equal(line?.message, 'shadow: the site answered with another body than the state');
  assert.equal(line.level, 'info');
  assert.equal(line.fields['mismatched'], 1);
  assert.deepEqual(more, [], 'a line a minute at most');
  assert.doesNotMatch(JSON.stringify(proxy.lines), /s3cret/);
});

test('what has changed between the last poll and the request is no mismatch', async (t) => {
  const { clock, site, ask, report, untilCounted } = await openTrying(t);
  await ask();
  await untilCounted('matched', 1);
  site.set('/x', '{"n":2}');
  await ask();
  await untilCounted('saved', 2);
  assert.equal((await report()).matched, 1, 'the state is still the one before');
  await clock.advance(EVERY_MS + 1);
  await ask();
  await untilCounted('matched', 2);
  await clock.advance(PATIENCE_MS);
  await untilCounted('matched', 3);
  assert.equal((await report()).mismatched, 0);
  assert.equal(site.polls('/x'), 2);
});

/** A site that answers pages when the test says so, and polls at once. */
async function openSlow(t: Parameters<typeof openTrying>[0], keys: object = {}) {
  const clock = createFakeClock();
  let state = '{"n":1}';
  const pages: ServerResponse[] = [];
  const polls: ServerResponse[] = [];
  let answersPolls = true;
  const upstream = await startUpstream(t, (req, res) => {
    res.setHeader('content-type', 'application/json');
    if (!req.headers['user-agent']?.startsWith('comet-proxy/')) pages.push(res);
    else if (answersPolls) res.end(state);
    else polls.push(res);
  });
  const live = { '/x': { every: '10s', vary: [], shadow: true, ...keys } };
  const proxy = await startTestProxy(t, { site: upstream.url, live }, clock);
  return {
    clock,
    upstream,
    proxy,
    pages,
    polls,
    set(next: string, answers = true) {
      state = next;
      answersPolls = answers;
    },
  };
}

test('a state that the channel had when the request came is none either', async (t) => {
  const { clock, proxy, pages, upstream, set } = await openSlow(t);
  const stream = await openEventStream(t, `${proxy.url}/x`);
  await stream.next();
  const asked = fetch(`${proxy.url}/x`);
  await until(() => pages.length === 1);
  set('{"n":2}');
  await clock.advance(EVERY_MS * 1.1);
  assert.equal((await stream.next()).data, '{"n":2}');
  pages[0]?.end('{"n":1}');
  assert.equal(await (await asked).text(), '{"n":1}');
  await clock.advance(PATIENCE_MS);
  await proxy.close();
  const [line] = told(proxy.lines);
  assert.equal(line?.message, 'shadow: compared since the start');
  const { requests, saved, matched, mismatched } = line?.fields ?? {};
  assert.deepEqual({ requests, saved, matched, mismatched }, COUNTS_OF_ONE_MATCH);
  assert.ok(upstream.requests.length >= 3);
});

const COUNTS_OF_ONE_MATCH = { requests: 1, saved: 1, matched: 1, mismatched: 0 };

test('the request waits for no poll, and what comes in pieces goes on in pieces', async (t) => {
  const { proxy, pages, polls, set } = await openSlow(t);
  set('', false);
  const page = connectRaw(t, proxy.port);
  page.send(get('/x'));
  await until(() => pages.length === 1 && polls.length === 1);
  pages[0]?.write('{"n":');
  await until(() => page.received.includes('{"n":'));
  pages[0]?.end('1}');
  await until(() => page.received.endsWith('0\r\n\r\n'));
  assert.equal(polls[0]?.writableEnded, false);
});

test('nothing is polled beyond what absorbing would poll, whoever is tried', async (t) => {
  const { clock, site, ask, untilCounted } = await openTrying(t, { polls: 'hold' });
  const { answer } = await ask({ headers: { 'if-none-match': '"1"' } });
  assert.equal(answer.status, 200);
  await untilCounted('matched', 1);
  await clock.advance(20 * EVERY_MS);
  assert.deepEqual([site.pages('/x'), site.polls('/x')], [1, 1], 'no loop');
});

test('with "pass", and outside of the share, nothing is tried', async (t) => {
  for (const keys of [{ polls: 'pass' }, { share: '0%' }]) {
    const { site, ask, report } = await openTrying(t, keys);
    await ask();
    assert.equal((await report()).requests, 0);
    assert.equal(site.polls('/x'), 0);
  }
});

test('who asks to wait is answered from the state', async (t) => {
  const { ask, report } = await openTrying(t);
  const { answer } = await ask({ headers: { prefer: 'wait=5' } });
  assert.equal(answer.headers.get('cache-status'), 'comet-proxy; hit');
  assert.equal((await report()).requests, 0);
});

const STATE: SiteState = { body: '{"n":1,"now":1}' };
const SAME: readonly [what: string, keys: object, page: SiteState, poll?: SiteState][] = [
  ['members in another order', {}, { body: '{ "now": 1, "n": 1 }' }],
  ['another charset of JSON', {}, json('{"n":1,"now":1}', 'application/json; charset=utf-8')],
  ['parts that do not count', { ignore: '/now' }, { body: '{"n":1,"now":2}' }],
  ['parts that are not selected', { select: '/n' }, { body: '{"n":1,"now":2}' }],
  ['gzip', {}, { headers: { 'content-encoding': 'gzip' }, body: gzipSync('{"n":1,"now":1}') }],
  ['a 203', {}, { ...STATE, status: 203 }],
  ['no content at all', {}, { status: 204 }, { status: 204 }],
];
for (const [what, keys, page, poll = STATE] of SAME) {
  test(`a true answer that differs by ${what} is the state`, async (t) => {
    const { ask, differ, untilCounted } = await openTrying(t, keys);
    differ(page, poll);
    await ask();
    await untilCounted('matched', 1);
  });
}

const OTHERS: readonly [difference: string, keys: object, page: SiteState, init?: RequestInit][] = [
  ['body', {}, { body: '{"n":1,"now":2}' }],
  ['body', { compare: 'bytes' }, { body: '{ "now": 1, "n": 1 }' }],
  ['type', {}, json('{"n":1,"now":1}', 'text/plain')],
  ['status', {}, { status: 401, body: 'who are you?' }],
  ['status', {}, { status: 302, headers: { location: '/login', 'content-encoding': 'br' } }],
  ['status', {}, { status: 204 }],
];
for (const [difference, keys, page] of OTHERS) {
  const name = `${page.status ?? 200} ${page.body ?? ''} ${JSON.stringify(page.headers ?? keys)}`;
  test(`a true answer of another ${difference} is a mismatch: ${name}`, async (t) => {
    const { clock, ask, differ, untilCounted, proxy } = await openTrying(t, keys);
    differ(page, STATE);
    await ask({ redirect: 'manual' });
    await untilCounted('saved', 1);
    await clock.advance(EVERY_MS + 1);
    await ask({ redirect: 'manual' });
    await untilCounted('saved', 2);
    await clock.advance(PATIENCE_MS);
    await untilCounted('mismatched', 1);
    const message = `shadow: the site answered with another ${difference} than the state`;
    assert.equal(told(proxy.lines)[0]?.message, message);
  });
}

const INCOMPARABLE: readonly [why: string, page: SiteState, keys?: object][] = [
  ['coding', { headers: { 'content-encoding': 'br' }, body: brotliCompressSync('{"n":1}') }],
  ['coding', { headers: { 'content-encoding': 'gzip' }, body: '{"n":1}' }],
  ['size', { body: `{"n":"${'x'.repeat(2_000)}"}` }, { maxBody: '1KiB' }],
  ['size', { headers: { 'transfer-encoding': 'chunked' }, body: 'x'.repeat(2_000) }, SMALL()],
  ['size', { headers: { 'content-encoding': 'gzip' }, body: gzipSync('x'.repeat(9_999)) }, SMALL()],
  ['failed', { status: 503, body: 'come back later' }],
  ['failed', { status: 429 }],
];
for (const [why, page, keys] of INCOMPARABLE) {
  const head = `${page.status ?? 200} ${JSON.stringify(page.headers ?? {})}`;
  test(`what cannot be compared is counted by why not, and passes as it is: ${why}, ${head}`, async (t) => {
    const { ask, differ, report, untilCounted, proxy } = await openTrying(t, keys);
    differ(page);
    const passed = connectRaw(t, proxy.port);
    passed.send(get('/x', 'Connection: close'));
    await passed.closed;
    assert.ok(passed.received.startsWith(`HTTP/1.1 ${page.status ?? 200}`));
    const body = Buffer.from(page.body ?? '').toString('latin1');
    assert.ok(passed.received.includes(body), 'every byte');
    await untilCounted('incomparable', 1);
    assert.deepEqual((await report()).incomparable, { [why]: 1 });
    differ({ body: '{"n":1}' });
    await ask();
    await untilCounted('matched', 1);
  });
}

function SMALL(): object {
  return { maxBody: '1KiB' };
}

test('an answer that breaks off, and a client that leaves, are not compared', async (t) => {
  const { clock, proxy, pages } = await openSlow(t);
  const broken = connectRaw(t, proxy.port);
  broken.send(get('/x'));
  await until(() => pages.length === 1);
  pages[0]?.write('{"n":1');
  await until(() => broken.received.includes('{"n":1'));
  pages[0]?.destroy();
  await broken.closed;
  const leaving = connectRaw(t, proxy.port);
  leaving.send(get('/x'));
  await until(() => pages.length === 2);
  leaving.socket.destroy();
  await until(() => pages[1]?.destroyed ?? false);
  await clock.advance(PATIENCE_MS);
  await proxy.close();
  const summary = told(proxy.lines).at(-1);
  assert.deepEqual(summary?.fields['incomparable'], { cut: 1, failed: 1 });
});

test('a 304 is compared by its validator', async (t) => {
  const { clock, ask, differ, untilCounted, report } = await openTrying(t);
  const state = { headers: { etag: '"1"' }, body: '{"n":1}' };
  differ({ status: 304, headers: { etag: '"1"' } }, state);
  const { answer } = await ask({ headers: { 'if-none-match': 'W/"1"' } });
  assert.equal(answer.status, 304);
  await untilCounted('matched', 1);
  await ask({ headers: { 'if-none-match': '"1-gzip"' } });
  await untilCounted('saved', 2);
  await clock.advance(EVERY_MS + 1);
  await ask({ headers: { 'if-none-match': '"1"' } });
  await untilCounted('matched', 2);
  await clock.advance(PATIENCE_MS);
  await untilCounted('incomparable', 1);
  assert.deepEqual((await report()).incomparable, { validator: 1 });
});

test('after the last word of a channel its requests pass: what the site says then is no mismatch', async (t) => {
  const { clock, site, ask, untilCounted, report } = await openTrying(t);
  await ask();
  await untilCounted('matched', 1);
  site.set('/x', { status: 410 });
  await ask();
  await untilCounted('saved', 2);
  await clock.advance(EVERY_MS + 1);
  await ask();
  await until(() => site.polls('/x') === 2);
  await clock.advance(PATIENCE_MS);
  const counts = { requests: 3, saved: 2, matched: 2, mismatched: 0, incomparable: {} };
  assert.deepEqual(await report(), counts);
});

test('one line each ten minutes says what was counted, if there was anything', async (t) => {
  const { clock, ask, untilCounted, proxy } = await openTrying(t);
  await ask();
  await untilCounted('matched', 1);
  await clock.advance(9 * 60_000);
  await ask();
  await untilCounted('matched', 2);
  assert.deepEqual(told(proxy.lines), []);
  await clock.advance(60_000);
  const counts = { requests: 2, saved: 2, matched: 2, mismatched: 0, incomparable: {} };
  assert.deepEqual(told(proxy.lines), [
    {
      level: 'info',
      fields: { endpoint: '/x', ...counts },
      message: 'shadow: compared since the start',
    },
  ]);
  await clock.advance(60 * 60_000);
  assert.equal(told(proxy.lines).length, 1);
});

test('a proxy that stops waits for no trial, and says what it has counted', async (t) => {
  const { clock, ask, differ, untilCounted, proxy } = await openTrying(t);
  differ({ body: '{"n":2}' });
  await ask();
  await untilCounted('saved', 1);
  await proxy.close();
  assert.equal(clock.pending, 0);
  assert.equal(told(proxy.lines).length, 1);
});

function json(body: string, type: string): SiteState {
  return { headers: { 'content-type': type }, body };
}

function told<T extends { readonly message: string }>(lines: readonly T[]): T[] {
  return lines.filter(({ message }) => message.startsWith('shadow'));
}
