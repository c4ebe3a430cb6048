import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';

test('plain requests within one interval cost the site one request', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    setTimeout(() => res.setHeader('content-type', 'application/json').end('{"n":1}'), 30);
  });
  const live = { '/api/x': { every: '1m', vary: [] } };
  const proxy = await startTestProxy(t, { site: upstream.url, live });
  const get = async (query: string) => (await fetch(`${proxy.url}/api/x${query}`)).text();
  const bodies = await Promise.all(Array.from({ length: 20 }, (_, i) => get(`?_=${i}`)));
  assert.deepEqual(new Set(bodies), new Set(['{"n":1}']));
  assert.equal(await get(''), '{"n":1}');
  assert.deepEqual(
    upstream.requests.map(({ url }) => url),
    ['/api/x'],
  );
});

test('while somebody streams, plain requests are answered without the site', async (t) => {
  let value = 1;
  const upstream = await startUpstream(t, (req, res) => {
    const by = req.headers['user-agent']?.startsWith('comet-proxy/') ? 'poll' : 'page';
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ value, by }));
  });
  const live = { '/api/x': { every: '50ms', vary: [] } };
  const proxy = await startTestProxy(t, { site: upstream.url, live });
  const stream = await openEventStream(t, `${proxy.url}/api/x`);
  await stream.next();
  value = 2;
  await stream.next();
  const response = await fetch(`${proxy.url}/api/x`);
  assert.deepEqual(await response.json(), { value: 2, by: 'poll' });
  assert.equal(response.headers.get('cache-status'), 'comet-proxy; hit');
});

test('an absorbed answer has an ETag and is 304 to who has it, and carries safe headers only', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res.setHeader('content-type', 'application/json').setHeader('x-powered-by', 'PHP/4');
    res.setHeader('content-security-policy', "default-src 'none'");
    res.setHeader('last-modified', 'Sat, 01 Jan 2000 00:00:00 GMT').end('{"n":1}');
  });
  const live = { '/api/x': { every: '1m', vary: ['cookie:S', 'x-tenant'] } };
  const proxy = await startTestProxy(t, { site: upstream.url, live });
  const first = await fetch(`${proxy.url}/api/x`);
  const etag = first.headers.get('etag') ?? '';
  assert.match(etag, /^"[\w.~-]+"$/);
  assert.equal(first.headers.get('cache-control'), 'no-cache');
  assert.equal(first.headers.get('vary'), 'Cookie, x-tenant, Accept, Prefer');
  assert.equal(first.headers.get('x-powered-by'), null);
  assert.equal(first.headers.get('content-security-policy'), "default-src 'none'");
  for (const headers of [
    { 'if-none-match': etag },
    { 'if-none-match': `"other", W/${etag}` },
    { 'if-modified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' },
  ]) {
    const again = await fetch(`${proxy.url}/api/x`, { headers });
    assert.deepEqual([again.status, await again.text()], [304, ''], JSON.stringify(headers));
  }
  const other = await fetch(`${proxy.url}/api/x`, { headers: { 'if-none-match': '"other"' } });
  assert.equal(other.status, 200);
});

test("the site's own ETag and Cache-Control are kept", async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res.setHeader('etag', 'W/"abc"').setHeader('cache-control', 'max-age=5').end('hello');
  });
  const proxy = await startTestProxy(t, { site: upstream.url, live: { '/x': '1m' } });
  const { headers } = await fetch(`${proxy.url}/x`);
  assert.deepEqual([headers.get('etag'), headers.get('cache-control')], ['W/"abc"', 'max-age=5']);
});

const PASSED: [name: string, init: RequestInit, endpoint?: object][] = [
  ['a POST', { method: 'POST', body: 'a=1' }],
  ['a HEAD', { method: 'HEAD' }],
  ['a range', { headers: { range: 'bytes=0-1' } }],
  ["another origin's page", { headers: { origin: 'https://elsewhere.example' } }],
  ['a page that lets pass', {}, { polls: 'pass' }],
];
for (const [name, init, endpoint] of PASSED) {
  test(`${name} goes to the site itself`, async (t) => {
    const upstream = await startUpstream(t, (_req, res) => res.end('hello'));
    const live = { '/x': { every: '1m', vary: [], ...endpoint } };
    const proxy = await startTestProxy(t, { site: upstream.url, live });
    await (await fetch(`${proxy.url}/x`)).text();
    const before = upstream.requests.length;
    await (await fetch(`${proxy.url}/x`, init)).text();
    assert.equal(upstream.requests.length, before + 1);
    assert.equal(upstream.requests.at(-1)?.method, init.method ?? 'GET');
  });
}

test('an answer that varies on what is not keyed is left to the site', async (t) => {
  const upstream = await startUpstream(t, (req, res) => {
    res.setHeader('vary', 'Accept-Encoding, Accept-Language').end(req.headers['accept-language']);
  });
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/x': { every: '1m', vary: [] } },
  });
  const get = async (language: string) => {
    const response = await fetch(`${proxy.url}/x`, { headers: { 'accept-language': language } });
    return response.text();
  };
  assert.deepEqual([await get('de'), await get('en')], ['de', 'en']);
  const warned = proxy.lines.filter(({ level }) => level === 'warn');
  assert.equal(warned.length, 1);
  assert.match(warned[0]?.message ?? '', /vary on "accept-language"/);
});

test('a snapshot image that pages reload with cache-busters is fetched once', async (t) => {
  const png = Buffer.from('89504e470d0a1a0a00ff', 'hex');
  const upstream = await startUpstream(t, (_req, res) =>
    res.setHeader('content-type', 'image/png').end(png),
  );
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/cam.png': { every: '1m', vary: [], ignoreQuery: ['_', 't'] } },
  });
  const headers = { 'sec-fetch-dest': 'image', 'sec-fetch-site': 'same-origin' };
  for (const query of ['?_=1', '?t=2', '?_=3&t']) {
    const response = await fetch(`${proxy.url}/cam.png${query}`, { headers });
    assert.equal(response.headers.get('content-type'), 'image/png');
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), png);
  }
  assert.equal(upstream.requests.length, 1);
});

test('what the site refuses costs it one poll in a while, not one for each request', async (t) => {
  const clock = createFakeClock();
  const upstream = await startUpstream(t, (_req, res) => res.writeHead(404).end());
  const live = { '/gone': { every: '1s', vary: [] } };
  const proxy = await startTestProxy(t, { site: upstream.url, live }, clock);
  const ask = async () => {
    const answer = await fetch(`${proxy.url}/gone`);
    assert.equal(answer.status, 404);
    await answer.text();
  };
  for (let i = 0; i < 5; i++) await ask();
  assert.equal(upstream.requests.length, 1 + 5);
  await clock.advance(5_000);
  await ask();
  assert.equal(upstream.requests.length, 2 + 6);
});
