import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { upgrade } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';
import { openBodies, openEnvelopes } from './socket-client.ts';
import { startStates } from './states-site.ts';

const HEARTBEAT_MS = 15_000;

/** A proxy whose clock the test moves; no poll is too late by it. */
async function scene(t: TestContext) {
  const site = await startStates(t, { '/x': '1' });
  const clock = createFakeClock();
  const live = { '/x': { every: '1h', timeout: '24h', vary: [] } };
  const limits = { drain: '1h' };
  const proxy = await startTestProxy(t, { site: site.url, live, limits }, clock);
  return { site, clock, proxy };
}

test('a ping is sent every 15 seconds, and a peer that answers is kept', async (t) => {
  const { clock, proxy } = await scene(t);
  const client = await openEnvelopes(t, proxy.url);
  let pings = 0;
  client.socket.on('ping', () => {
    pings += 1;
  });
  await clock.advance(HEARTBEAT_MS - 1);
  assert.equal(pings, 0);
  for (let round = 1; round <= 4; round++) {
    await clock.advance(round === 1 ? 1 : HEARTBEAT_MS);
    await until(() => pings === round);
    // What it says behind its pong is read behind it.
    client.say('?');
    assert.equal((await client.next()).event, 'error');
  }
  assert.equal(proxy.streamCount, 1);
});

const SILENT: readonly [path: string, open: (t: TestContext, proxy: TestProxy) => Promise<void>][] =
  [
    [
      'of envelopes, that reads',
      async (t, proxy) => void (await openEnvelopes(t, proxy.url, '', { autoPong: false })),
    ],
    [
      'of bodies, that does not read',
      async (t, proxy) => {
        const peer = connectRaw(t, proxy.port);
        peer.send(upgrade('/x'));
        await peer.receive('101 Switching Protocols');
        peer.socket.pause();
      },
    ],
  ];
for (const [which, open] of SILENT) {
  test(`a peer ${which}, is gone when it has not answered by the next ping`, async (t) => {
    const { clock, proxy } = await scene(t);
    await open(t, proxy);
    await until(() => proxy.streamCount === 1);
    await clock.advance(HEARTBEAT_MS);
    assert.equal(proxy.streamCount, 1);
    await clock.advance(HEARTBEAT_MS);
    await until(() => proxy.streamCount === 0);
  });
}

test('a peer that is gone is cut, without a word', async (t) => {
  const { clock, proxy } = await scene(t);
  const client = await openEnvelopes(t, proxy.url, '', { autoPong: false });
  await clock.advance(2 * HEARTBEAT_MS);
  assert.equal((await client.closed).code, 1006);
});

test('a proxy that drains says when to come back, and closes with 1012', async (t) => {
  const { clock, proxy } = await scene(t);
  const clients = await Promise.all([1, 2, 3].map(() => openEnvelopes(t, proxy.url, '?url=/x')));
  for (const client of clients) assert.equal((await client.next()).data, 1);
  const drained = proxy.drain();
  await clock.advance(1_000);
  for (const client of clients) {
    const { event, data } = await client.next();
    assert.equal(event, 'retry');
    const { retryMs } = data as { retryMs: number };
    assert.ok(Number.isInteger(retryMs) && retryMs >= 1_000, String(retryMs));
    assert.equal((await client.closed).code, 1012);
  }
  await drained;
});

test('a bare stream has no words: it is closed with 1012 only', async (t) => {
  const { clock, proxy } = await scene(t);
  const client = await openBodies(t, `${proxy.url}/x`);
  assert.equal((await client.next()).bytes.toString(), '1');
  const drained = proxy.drain();
  await clock.advance(1_000);
  assert.equal((await client.closed).code, 1012);
  assert.equal(client.items.length, 1);
  await drained;
});

test('a close of the client is answered, and ends the stream', async (t) => {
  const { proxy } = await scene(t);
  const client = await openEnvelopes(t, proxy.url, '?url=/x');
  await client.next();
  client.socket.close(1000, 'enough');
  assert.equal((await client.closed).code, 1000);
  await until(() => proxy.streamCount === 0);
});

test('what a client says together with its handshake is heard', async (t) => {
  const { proxy } = await scene(t);
  const peer = connectRaw(t, proxy.port);
  const text = '{"subscribe":"/x"}';
  // One masked frame whose mask is of zeros.
  peer.send(
    `${upgrade('/_comet/ws')}\x81${String.fromCharCode(0x80 | text.length)}\0\0\0\0${text}`,
  );
  assert.match(await peer.receive('"snapshot"'), /"url":"\/x"/);
});

test('elsewhere an upgrade is for the site', async (t) => {
  const { site, proxy } = await scene(t);
  const peer = connectRaw(t, proxy.port);
  peer.send(upgrade('/elsewhere'));
  await once(peer.socket, 'data');
  assert.match(peer.received, /^HTTP\/1\.1 404 /);
  assert.deepEqual(
    site.requests.map(({ url, headers }) => [url, headers.upgrade]),
    [['/elsewhere', 'websocket']],
  );
});
