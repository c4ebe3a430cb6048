import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream, openLines } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

async function scene(t: TestContext, config: Record<string, unknown> = {}): Promise<TestProxy> {
  const upstream = await startUpstream(t, (req, res) => {
    if (req.url === '/api/image')
      res.setHeader('content-type', 'image/png').end('\x89PNG', 'latin1');
    else res.setHeader('content-type', 'application/json').end(JSON.stringify(req.url));
  });
  return startTestProxy(t, {
    site: upstream.url,
    live: {
      '/api/:name': { every: '10s', vary: [] },
      '/lines/only': { every: '10s', vary: [], transports: ['stream'] },
    },
    ...config,
  });
}

const REFUSALS: [name: string, path: string, init: RequestInit, status: number, code: string][] = [
  ['a url that is not live', '/_comet/sse?url=/other', {}, 404, 'NOT_LIVE'],
  ['no url', '/_comet/sse', {}, 400, 'BAD_URL'],
  ['an empty url', '/_comet/sse?url=', {}, 400, 'BAD_URL'],
  ['a relative url', '/_comet/sse?url=api/x', {}, 400, 'BAD_URL'],
  ['a url elsewhere', '/_comet/sse?url=http://evil.example/api/x', {}, 400, 'BAD_URL'],
  ['a url without a scheme', '/_comet/sse?url=//evil.example/api/x', {}, 400, 'BAD_URL'],
  ['a url with a line break', '/_comet/sse?url=/api/x%0d%0aX:1', {}, 400, 'BAD_URL'],
  ['an encoded slash in a url', '/_comet/sse?url=/api%252fx', {}, 404, 'NOT_LIVE'],
  ['a since before its url', '/_comet/sse?since=1-1&url=/api/x', {}, 400, 'BAD_PARAMETER'],
  [
    'a padding that is no number',
    '/_comet/stream?url=/api/x&padding=1e9',
    {},
    400,
    'BAD_PARAMETER',
  ],
  ['more urls than the limit', `/_comet/sse?${'url=/api/x&'.repeat(33)}`, {}, 400, 'BAD_PARAMETER'],
  ['an unknown transport', '/_comet/telepathy?url=/api/x', {}, 404, 'NOT_FOUND'],
  ['a path of ours that is nothing', '/_comet/', {}, 404, 'NOT_FOUND'],
  ['a transport not allowed', '/_comet/sse?url=/lines/only', {}, 406, 'TRANSPORT_NOT_ALLOWED'],
  [
    'sse where it is not allowed',
    '/lines/only',
    { headers: { accept: 'text/event-stream' } },
    406,
    'TRANSPORT_NOT_ALLOWED',
  ],
  [
    'binary without an envelope',
    '/api/image',
    { headers: { accept: 'text/event-stream' } },
    406,
    'NOT_TEXT',
  ],
  ['a POST', '/_comet/sse?url=/api/x', { method: 'POST' }, 405, 'METHOD_NOT_ALLOWED'],
  [
    'another origin',
    '/_comet/sse?url=/api/x',
    { headers: { origin: 'http://evil.example' } },
    403,
    'CROSS_SITE',
  ],
  [
    'a sandboxed page',
    '/_comet/sse?url=/api/x',
    { headers: { origin: 'null' } },
    403,
    'CROSS_SITE',
  ],
  [
    'a cross-site load without an origin',
    '/api/x',
    { headers: { accept: 'text/event-stream', 'sec-fetch-site': 'cross-site' } },
    403,
    'CROSS_SITE',
  ],
  [
    'a stream as a script',
    '/_comet/stream?url=/api/x',
    { headers: { 'sec-fetch-dest': 'script' } },
    403,
    'WRONG_DESTINATION',
  ],
];

test('every wrong request has its documented answer, and disturbs nothing', async (t) => {
  const proxy = await scene(t);
  for (const [name, path, init, status, code] of REFUSALS) {
    const response = await fetch(`${proxy.url}${path}`, init);
    const body = await response.text();
    assert.equal(response.status, status, `${name}: ${body}`);
    assert.match(body, new RegExp(`^${code}: .+\n$`), name);
    assert.equal(response.headers.get('cache-control'), 'no-store', name);
  }
  assert.equal(proxy.streamCount, 0);
  const lines = await openLines(t, `${proxy.url}/_comet/stream?url=/api/x`);
  assert.equal((await lines.next())['data'], '/api/x');
});

test('an envelope tells the url without its cache-busters; own absolute urls are taken', async (t) => {
  const proxy = await scene(t);
  const query = ['/api/x?b=2&_=9&a=1', `${proxy.url}/api/y`].map(
    (url) => `url=${encodeURIComponent(url)}`,
  );
  const lines = await openLines(t, `${proxy.url}/_comet/stream?${query.join('&')}`);
  const urls = [await lines.next(), await lines.next()].map(({ url }) => url);
  assert.deepEqual(urls.sort(), ['/api/x?b=2&a=1', '/api/y']);
});

test('binary state travels in base64 inside the envelope', async (t) => {
  const proxy = await scene(t);
  const lines = await openLines(t, `${proxy.url}/_comet/stream?url=/api/image`);
  const { encoding, contentType, data } = await lines.next();
  assert.deepEqual([encoding, contentType], ['base64', 'image/png']);
  assert.deepEqual(Buffer.from(String(data), 'base64'), Buffer.from('\x89PNG', 'latin1'));
});

test('a listed origin may read, and the answer says so to browsers', async (t) => {
  const origin = 'https://partner.example';
  const proxy = await scene(t, { origins: [origin] });
  const stream = await openEventStream(t, `${proxy.url}/api/x`, { origin });
  assert.equal(stream.headers['access-control-allow-origin'], origin);
  assert.equal(stream.headers['access-control-allow-credentials'], 'true');
  assert.equal(stream.headers.vary, 'Accept, Accept-Encoding, Origin');
  const preflight = await fetch(`${proxy.url}/_comet/sse?url=/api/x`, {
    method: 'OPTIONS',
    headers: { origin },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get('access-control-allow-origin'), origin);
});

test('every stream forbids storing, transforming, buffering and sniffing', async (t) => {
  const proxy = await scene(t);
  for (const path of ['/_comet/sse?url=/api/x', '/_comet/stream?url=/api/x', '/api/x']) {
    const { headers } = await openEventStream(t, `${proxy.url}${path}`);
    assert.equal(headers['cache-control'], 'no-store, no-transform');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-accel-buffering'], 'no');
    assert.equal(headers['incremental'], '?1');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
  }
});

test('too many streams: EventSource is told when to come back, others get 503 or 429', async (t) => {
  const proxy = await scene(t, { limits: { streams: 2, streamsPerAddress: 1 } });
  const first = await openEventStream(t, `${proxy.url}/api/x`);
  await first.next();
  const second = await fetch(`${proxy.url}/_comet/stream?url=/api/x`);
  assert.equal(second.status, 429);
  assert.ok(Number(second.headers.get('retry-after')) > 0);
  const told = await fetch(`${proxy.url}/_comet/sse?url=/api/x`);
  const text = await told.text();
  assert.equal(told.status, 200);
  const retryMs = Number(/^retry: (\d+)$/m.exec(text)?.[1]);
  assert.ok(retryMs >= 15_000 && retryMs <= 45_000, text);
  first.close();
  await until(() => proxy.streamCount === 0);
  assert.equal((await openEventStream(t, `${proxy.url}/api/x`)).status, 200);
});

test('too many live URLs: streams are refused, plain requests pass to the site', async (t) => {
  const proxy = await scene(t, { limits: { channels: 1 } });
  const first = await openLines(t, `${proxy.url}/_comet/stream?url=/api/a`);
  await first.next();
  const second = await fetch(`${proxy.url}/_comet/stream?url=/api/b`);
  assert.deepEqual(
    [second.status, (await second.text()).split(':')[0]],
    [503, 'TOO_MANY_CHANNELS'],
  );
  assert.equal(await (await fetch(`${proxy.url}/api/b`)).text(), '"/api/b"');
});
