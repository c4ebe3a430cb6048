import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';

test('a bare stream tells once that the state is no text, and that it is text again', async (t) => {
  let body = Buffer.from('one');
  const upstream = await startUpstream(t, (_req, res) => res.end(body));
  const live = { '/x': { every: '50ms', vary: [] } };
  const proxy = await startTestProxy(t, { site: upstream.url, live });
  const stream = await openEventStream(t, `${proxy.url}/x`);
  assert.equal((await stream.next()).data, 'one');
  for (const byte of [0xf0, 0xf1, 0xf2]) {
    body = Buffer.from([byte]);
    const polls = upstream.requests.length;
    while (upstream.requests.length < polls + 3) await new Promise((done) => setImmediate(done));
  }
  body = Buffer.from('two');
  const told = [await stream.next(), await stream.next(), await stream.next()];
  assert.deepEqual(
    told.map(({ event = 'message', data }) => `${event} ${data}`),
    ['stale {"code":"NOT_TEXT"}', 'message two', 'fresh {}'],
  );
});

test('a last word is told also while the state is no text', async (t) => {
  let status = 200;
  let body = Buffer.from('one');
  const upstream = await startUpstream(t, (_req, res) => res.writeHead(status).end(body));
  const live = { '/x': { every: '50ms', vary: [] } };
  const proxy = await startTestProxy(t, { site: upstream.url, live });
  const stream = await openEventStream(t, `${proxy.url}/x`);
  await stream.next();
  body = Buffer.from([0xf0]);
  assert.equal((await stream.next()).data, '{"code":"NOT_TEXT"}');
  status = 410;
  const last = await stream.next();
  assert.deepEqual([last.event, last.data], ['gone', '{"status":410}']);
  await stream.ended;
});
