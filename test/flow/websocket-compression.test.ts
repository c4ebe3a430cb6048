import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openBodies, openEnvelopes } from './socket-client.ts';
import { startStates } from './states-site.ts';

const LONG = JSON.stringify({ text: 'the same again, '.repeat(1_000) });

async function scene(t: TestContext, config: object) {
  const site = await startStates(t, { '/x': LONG });
  const live = { '/x': { every: '50ms', vary: [] } };
  const proxy = await startTestProxy(t, { site: site.url, live, ...config });
  return { site, proxy };
}

test('messages are not compressed unless the config says so', async (t) => {
  const { proxy } = await scene(t, {});
  const client = await openEnvelopes(t, proxy.url, '?url=/x');
  assert.equal(client.socket.extensions, '');
  assert.deepEqual((await client.next()).data, JSON.parse(LONG));
});

test('a client that does not offer it gets plain messages', async (t) => {
  const { proxy } = await scene(t, { webSocketCompression: true });
  const client = await openEnvelopes(t, proxy.url, '?url=/x', { perMessageDeflate: false });
  assert.equal(client.socket.extensions, '');
  assert.deepEqual((await client.next()).data, JSON.parse(LONG));
});

test('compressed messages are decoded by a library, each without the ones before it', async (t) => {
  const { site, proxy } = await scene(t, { webSocketCompression: true });
  const early = await openEnvelopes(t, proxy.url, '?url=/x');
  assert.match(early.socket.extensions, /permessage-deflate/);
  assert.deepEqual((await early.next()).data, JSON.parse(LONG));
  for (const next of [LONG.replace('same', 'other'), '1', LONG]) {
    site.set('/x', next);
    assert.deepEqual((await early.next()).data, JSON.parse(next));
  }
  const late = await openBodies(t, `${proxy.url}/x`);
  assert.equal((await late.next()).bytes.toString(), LONG);
});

test('what a client compresses is read', async (t) => {
  const { proxy } = await scene(t, { webSocketCompression: true });
  const client = await openEnvelopes(t, proxy.url, '', { perMessageDeflate: { threshold: 0 } });
  const since = 'x'.repeat(2_000);
  client.say({ subscribe: '/x', since });
  client.say({ subscribe: '/nothing', since });
  const events = [(await client.next()).event, (await client.next()).event].sort();
  assert.deepEqual(events, ['error', 'snapshot']);
});

test('compressed messages are smaller on the wire', async (t) => {
  const { proxy } = await scene(t, { webSocketCompression: true });
  const bytesRead = async (perMessageDeflate: boolean) => {
    const client = await openEnvelopes(t, proxy.url, '?url=/x', { perMessageDeflate });
    await client.next();
    const { _socket } = client.socket as unknown as { _socket: { bytesRead: number } };
    return _socket.bytesRead;
  };
  const [plain, small] = [await bytesRead(false), await bytesRead(true)];
  assert.ok(small < plain / 10, `${small} of ${plain}`);
});

test('a client that wants a smaller window gets plain messages: ours are made for the largest', async (t) => {
  const { proxy } = await scene(t, { webSocketCompression: true });
  const perMessageDeflate = { serverMaxWindowBits: 9 };
  const client = await openEnvelopes(t, proxy.url, '?url=/x', { perMessageDeflate });
  assert.match(client.socket.extensions, /permessage-deflate/);
  assert.deepEqual((await client.next()).data, JSON.parse(LONG));
});
