import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { getHeapSnapshot, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Observer, Passing } from '../../src/discovery/observer.ts';
import { createObserver } from '../../src/discovery/observer.ts';
import type { DiscoveryReport } from '../../src/shared/discovery-report.ts';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import { startUpstream } from '../support/upstream.ts';

/** A proxy with an admin listener whose clock the test moves, before a site that answers everything. */
async function scene(t: TestContext, config: Record<string, unknown> = {}) {
  let nowMs = Date.UTC(2026, 9, 12);
  t.mock.method(Date, 'now', () => nowMs);
  const upstream = await startUpstream(t, (req, res) => {
    if (req.url?.startsWith('/boom')) return void res.destroy();
    res.setHeader('content-type', 'application/json');
    res.setHeader('etag', `"${nowMs >> 13}"`);
    res.end('{"lines": [1, 2, 3]}');
  });
  const proxy = await startTestProxy(t, { site: upstream.url, admin: '127.0.0.1:0', ...config });
  return {
    proxy,
    upstream,
    async every(ms: number, times: number, asked: readonly Asked[]): Promise<void> {
      for (let i = 0; i < times; i++) {
        for (const one of asked) await ask(proxy, typeof one === 'function' ? one(i, nowMs) : one);
        nowMs += ms;
      }
    },
    async report(): Promise<DiscoveryReport> {
      nowMs += 5_000;
      const { status, text } = await get(`${proxy.adminUrl}/discover`, { host: 'localhost' });
      assert.equal(status, 200, text);
      return JSON.parse(text) as DiscoveryReport;
    },
  };
}

interface Request {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
}
type Asked = Request | ((i: number, atMs: number) => Request);

async function ask(
  proxy: TestProxy,
  { path, headers = {}, method = 'GET' }: Request,
): Promise<void> {
  await get(`${proxy.url}${path}`, headers, method);
}

function get(
  url: string,
  headers: Readonly<Record<string, string>>,
  method = 'GET',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const req = request(url, { headers, method }, (res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, text }));
    });
    req.on('error', reject).end();
  });
}

const BROWSER = {
  'user-agent': 'Mozilla/5.0',
  'sec-fetch-dest': 'empty',
  referer: 'http://a.example/board',
};
const SECRET = 'hunter2-and-more';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('a running proxy tells what pages poll: passed on, and absorbed', async (t) => {
  const { every, report } = await scene(t, { live: { '/live': { every: '1h', vary: [] } } });
  await every(2_000, 20, [
    (_, atMs) => ({ path: `/status?_=${atMs}`, headers: BROWSER }),
    { path: '/live', headers: BROWSER },
    { path: '/boom', headers: BROWSER },
    { path: '/style.css', headers: { ...BROWSER, 'sec-fetch-dest': 'style' } },
    (i) => ({ path: `/item/${i}`, headers: BROWSER }),
  ]);
  const { looked, found, config = '' } = await report();
  assert.deepEqual(
    found.map(({ path, intervalMs, isLive, kind }) => [path, intervalMs, isLive, kind]).sort(),
    [
      ['/live', 2_000, true, 'poll'],
      ['/status', 2_000, false, 'poll'],
    ],
  );
  assert.deepEqual([looked.requests, looked.clients], [100, 1]);
  assert.match(config, /"\/status": \{/);
  assert.doesNotMatch(config, /"\/live": /m);
});

test('clients behind one address are told apart by their sessions, and what they get is compared', async (t) => {
  const { every, report } = await scene(t);
  const clients = ['anna', 'ben', 'eva'].map((name): Request => {
    return { path: '/orders', headers: { ...BROWSER, cookie: `theme=dark; SESSIONID=${name}` } };
  });
  await every(3_000, 16, clients);
  const { found, config } = await report();
  assert.deepEqual([found[0]?.clients, found[0]?.sharing.kind], [3, 'alike']);
  assert.match(config ?? '', /"vary": \["cookie:SESSIONID"\]/);
});

test('no value of a query, a cookie or a credential is told', async (t) => {
  const { every, report } = await scene(t);
  const headers = { ...BROWSER, cookie: `SID=${SECRET}`, authorization: `Bearer ${SECRET}` };
  await every(2_000, 12, [
    { path: `/a?view=${SECRET}`, headers },
    { path: `/rpc?${SECRET}`, method: 'POST', headers },
  ]);
  const told = JSON.stringify(await report());
  assert.match(told, /"name":"view"/);
  // A parameter without a value is told by its name, as any other.
  assert.equal(told.split(SECRET).length, told.split(`"name":"${SECRET}"`).length);
});

/** Let an observer see requests full of a secret, and forget them. */
function watchSecrets(backwards: string): Observer {
  const secret = backwards.split('').reverse().join('');
  let nowMs = Date.UTC(2026, 9, 12);
  const observer = createObserver({ now: () => nowMs, secret: Buffer.alloc(8, 3) });
  for (let i = 0; i < 30; i++) {
    const rawHeaders = [
      ...['Cookie', `theme=1; SESSIONID_OF_SHOP=${secret}; x=${secret}`, 'Authorization', secret],
      ...[
        'Referer',
        `http://a.example/a/long/page/path?token=${secret}`,
        'Sec-Fetch-Dest',
        'empty',
      ],
      ...['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64)'],
    ];
    const req = { method: 'GET', rawHeaders, socket: { bytesWritten: 0 } };
    let close = () => {};
    const res = {
      headersSent: true,
      statusCode: 200,
      once: (_: string, listener: () => void) => (close = listener),
    };
    const target = `/a/long/path/of/an/api?a_long_name_of_it=${secret}&id=${secret}${i}`;
    const downstream = { address: '10.0.0.1' };
    const passing = { req, res, target, downstream } as unknown as Passing;
    observer.observe(passing, 'site')?.(['ETag', `"${secret}"`, 'Set-Cookie', `a=${secret}`]);
    close();
    nowMs += 2_000;
  }
  return observer;
}

test('what is kept of requests has no value of theirs in it, nor anything that holds one', async () => {
  // The test itself knows it backwards only, until it has looked.
  const backwards = randomBytes(12).toString('hex');
  const observer = watchSecrets(backwards);
  collectGarbage();
  const chunks: Buffer[] = [];
  for await (const chunk of getHeapSnapshot()) chunks.push(Buffer.from(chunk as Uint8Array));
  const snapshot = Buffer.concat(chunks);
  assert.ok(snapshot.includes('/a/long/path/of/an/api'), 'paths are kept');
  assert.ok(!snapshot.includes(backwards.split('').reverse().join('')), 'a secret is in memory');
  const { found } = await observer.report();
  assert.deepEqual([found[0]?.path, found[0]?.intervalMs], ['/a/long/path/of/an/api', 2_000]);
});

test('without an admin listener nothing is watched', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.end('x'));
  const proxy = await startTestProxy(t, { site: upstream.url });
  assert.equal(proxy.adminUrl, undefined);
  await ask(proxy, { path: '/a' });
});

test('streams and uploads by other methods are not looked at', async (t) => {
  const { every, report } = await scene(t);
  await every(2_000, 10, [
    { path: '/events', headers: { ...BROWSER, accept: 'text/event-stream' } },
    { path: '/put', method: 'PUT', headers: BROWSER },
  ]);
  const { found, notes } = await report();
  assert.deepEqual(found, []);
  assert.deepEqual(notes, ['nothing is polled: no request was seen']);
});
