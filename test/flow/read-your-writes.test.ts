import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

/** A counter that any POST moves, polled once an hour. */
async function setUp(t: TestContext, live: Record<string, unknown> = {}) {
  let count = 0;
  const upstream = await startUpstream(t, (req, res) => {
    if (req.url?.includes('refuse')) res.statusCode = 409;
    else if (req.method !== 'GET' || req.url?.includes('delete')) count += 1;
    res.setHeader('content-type', 'application/json').end(String(count));
  });
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/orders/:id': { every: '1h', vary: [], ...live } },
  });
  const write = async (path: string, method = 'POST') => {
    const answer = await fetch(`${proxy.url}${path}`, { method });
    await answer.text();
  };
  const read = async (path = '/orders/1') => (await fetch(`${proxy.url}${path}`)).text();
  return { upstream, proxy, write, read };
}

test('a write to the polled path, or below, is pushed to everybody without waiting', async (t) => {
  const { proxy, write } = await setUp(t);
  const stream = await openEventStream(t, `${proxy.url}/orders/1`);
  assert.equal((await stream.next()).data, '0');
  await write('/orders/1');
  assert.equal((await stream.next()).data, '1');
  await write('/orders/1/items?x=1', 'DELETE');
  assert.equal((await stream.next()).data, '2');
});

test('who has written reads what was written, streamed or not', async (t) => {
  const { proxy, write, read } = await setUp(t);
  assert.equal(await read(), '0');
  await write('/orders/1');
  assert.equal(await read(), '1', 'no loop runs');
  const stream = await openEventStream(t, `${proxy.url}/orders/1`);
  await stream.next();
  await write('/orders/1');
  assert.equal(await read(), '2', 'the state that streams know is not shown');
});

test('a poll that began before a write does not stand for what came after it', async (t) => {
  const held: (() => void)[] = [];
  let count = 0;
  let isSlow = true;
  const upstream = await startUpstream(t, (req, res) => {
    if (req.method === 'POST') {
      count += 1;
      return void res.end();
    }
    const body = String(count);
    if (isSlow) held.push(() => res.end(body));
    else res.end(body);
  });
  const live = { '/orders/:id': { every: '1h', vary: [] } };
  const { url } = await startTestProxy(t, { site: upstream.url, live });
  const read = async () => (await fetch(`${url}/orders/1`)).text();
  const early = read();
  await until(() => held.length === 1);
  await (await fetch(`${url}/orders/1`, { method: 'POST' })).text();
  isSlow = false;
  held[0]?.();
  await early;
  assert.equal(await read(), '1');
});

test('a write elsewhere, or one that is refused, polls nothing', async (t) => {
  const { proxy, upstream, write } = await setUp(t);
  const stream = await openEventStream(t, `${proxy.url}/orders/1`);
  await stream.next();
  await write('/orders/12');
  await write('/orders');
  await write('/orders/1/refuse');
  await write('/orders/1');
  assert.equal((await stream.next()).data, '3');
  const polls = upstream.requests.filter(
    ({ method, url }) => method === 'GET' && url === '/orders/1',
  );
  assert.equal(polls.length, 2, 'the first, and the one after the write that counts');
});

test('refreshOn names other requests, safe ones too; [] is none', async (t) => {
  const named = await setUp(t, { refreshOn: ['GET /admin/delete', '/cart/**'] });
  const stream = await openEventStream(t, `${named.proxy.url}/orders/1`);
  await stream.next();
  await named.write('/orders/1');
  await named.write('/cart/7/items', 'PUT');
  assert.equal((await stream.next()).data, '2', 'the default does not count besides');
  await named.write('/admin/delete', 'GET');
  assert.equal((await stream.next()).data, '3');

  const none = await setUp(t, { refreshOn: [] });
  assert.equal(await none.read(), '0');
  await none.write('/orders/1');
  assert.equal(await none.read(), '0');
});

test('a hold that ends while something is written is answered by the site, not from before', async (t) => {
  const clock = createFakeClock();
  let finish: () => void = () => undefined;
  const upstream = await startUpstream(t, (req, res) => {
    if (req.method === 'POST') finish = () => void res.end();
    else res.setHeader('content-type', 'application/json').setHeader('etag', '"1"').end('1');
  });
  const live = { '/x': { every: '1h', vary: [] } };
  const proxy = await startTestProxy(t, { site: upstream.url, live }, clock);
  const first = await fetch(`${proxy.url}/x`);
  await first.text();
  const headers = { 'if-none-match': first.headers.get('etag') ?? '', prefer: 'wait=20' };
  const { pending } = clock;
  const held = fetch(`${proxy.url}/x`, { headers });
  await until(() => clock.pending > pending);
  const write = fetch(`${proxy.url}/x`, { method: 'POST' });
  await until(() => upstream.requests.at(-1)?.method === 'POST');
  const asked = upstream.count('/x');
  let isAnswered = false;
  void held.then(() => {
    isAnswered = true;
  });
  await clock.advance(20_000);
  await until(() => isAnswered);
  assert.equal((await held).headers.get('cache-status'), null, 'of a state there would be one');
  assert.equal(upstream.count('/x'), asked + 1);
  finish();
  await (await write).text();
});
