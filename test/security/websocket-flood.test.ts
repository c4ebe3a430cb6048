import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { openEnvelopes } from '../flow/socket-client.ts';
import { startStates } from '../flow/states-site.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { upgrade } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';
import { clientFrame, closeCode, OPCODE, serverFrames } from './websocket-frames.ts';

/*
 * Each message costs the proxy work, and most cost an answer. Clients may send 200 at once and 10 a
 * second in the long run; answers that are not read must not pile up.
 */
const BURST = 200;
const WRONG = clientFrame('?');
const PING = clientFrame('x'.repeat(125), { opcode: OPCODE.ping });
const PONG = clientFrame('', { opcode: OPCODE.pong });
/** More than the buffers of any connection hold. */
const BIG_BYTES = 24 * 1_024 * 1_024;

async function scene(t: TestContext) {
  const clock = createFakeClock();
  const text = { 'content-type': 'text/plain' };
  const site = await startStates(t, {
    '/x': '1',
    '/big': { headers: text, body: 'x'.repeat(BIG_BYTES) },
  });
  const shared = { every: '23h', timeout: '24h', vary: [] };
  const live = { '/x': shared, '/big': { ...shared, maxBody: '32MiB' } };
  const proxy = await startTestProxy(t, { site: site.url, live }, clock);
  const connect = async (target = '/_comet/ws'): Promise<RawPeer> => {
    const peer = connectRaw(t, proxy.port);
    peer.send(upgrade(target));
    await peer.receive(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/);
    return peer;
  };
  return { clock, site, proxy, connect };
}

function count(peer: RawPeer, opcode: number): number {
  return serverFrames(peer.received).filter((frame) => frame.opcode === opcode).length;
}

const KINDS: readonly [what: string, target: string, frame: Buffer, answer: number | undefined][] =
  [
    ['messages', '/_comet/ws', WRONG, OPCODE.text],
    ['pings', '/_comet/ws', PING, OPCODE.pong],
    ['messages on a bare stream', '/x', WRONG, undefined],
    ['pings on a bare stream', '/x', PING, OPCODE.pong],
  ];
for (const [what, target, frame, answer] of KINDS) {
  test(`200 ${what} are read without a pause, one more ends the connection with 1008`, async (t) => {
    const { proxy, connect } = await scene(t);
    const peer = await connect(target);
    // Not all in one packet: the library cuts who does not wait for its answers at all.
    for (let sent = 50; sent <= BURST; sent += 50) {
      peer.send(Buffer.concat(Array<Buffer>(50).fill(frame)));
      if (answer !== undefined) await until(() => count(peer, answer) >= sent);
    }
    assert.equal(proxy.streamCount, 1);
    peer.send(frame);
    await until(() => closeCode(peer.received) !== undefined);
    assert.equal(closeCode(peer.received), 1008);
    assert.equal(proxy.streamCount, 0);
  });
}

test('in the long run a client may send ten messages a second', async (t) => {
  const { clock, connect } = await scene(t);
  const peer = await connect();
  peer.send(Buffer.concat(Array<Buffer>(BURST).fill(WRONG)));
  for (let second = 1; second <= 10; second++) {
    await until(() => count(peer, OPCODE.text) === BURST + 10 * (second - 1));
    await clock.advance(1_000);
    peer.send(Buffer.concat(Array<Buffer>(10).fill(WRONG)));
  }
  await until(() => count(peer, OPCODE.text) === BURST + 100);
  peer.send(WRONG);
  await until(() => closeCode(peer.received) === 1008);
});

test('a client that sends without end and reads nothing is closed, and gets little', async (t) => {
  const { proxy, connect } = await scene(t);
  const peer = await connect();
  peer.socket.pause();
  const many = Buffer.concat(Array<Buffer>(1_000).fill(WRONG));
  while (proxy.streamCount > 0) {
    peer.send(many);
    await new Promise((resolve) => setImmediate(resolve));
  }
  peer.socket.resume();
  await until(() => closeCode(peer.received) !== undefined);
  assert.equal(closeCode(peer.received), 1008);
  assert.ok(count(peer, OPCODE.text) <= BURST);
});

/** A client whose connection is full of what it does not read, and one that reads. */
async function blockedScene(t: TestContext) {
  const { site, proxy, connect, clock } = await scene(t);
  const blocked = await connect('/_comet/ws?url=/big');
  blocked.socket.pause();
  // Both are told of the state at once: it is one channel, as they name the same host.
  const headers = { host: 'site.test' };
  const reader = await openEnvelopes(t, proxy.url, '?url=/big', { headers });
  assert.equal(((await reader.next()).data as string).length, BIG_BYTES);
  assert.deepEqual([site.polls('/big'), proxy.streamCount], [1, 2]);
  /** When it has been answered, what others have sent before has been read as well. */
  const roundTrip = async () => {
    reader.say('?');
    await reader.next();
  };
  return { blocked, proxy, clock, roundTrip };
}

test('who asks while it does not read is not read either, and answered when it is', async (t) => {
  const { blocked, proxy, roundTrip } = await blockedScene(t);
  blocked.send(WRONG);
  await roundTrip();
  assert.equal(proxy.streamCount, 2, 'what is wrong with a message ends nothing');
  blocked.socket.resume();
  await until(() => count(blocked, OPCODE.text) === 2);
});

test('who subscribes again while it does not read gets the state once more when it reads', async (t) => {
  const { blocked, proxy, roundTrip } = await blockedScene(t);
  blocked.send(clientFrame('{"subscribe":"/big"}'));
  await roundTrip();
  assert.equal(proxy.streamCount, 2);
  blocked.socket.resume();
  await until(() => count(blocked, OPCODE.text) === 2);
  blocked.send(WRONG);
  await until(() => count(blocked, OPCODE.text) === 3);
});

test('the answers to pings of a client that does not read do not pile up', async (t) => {
  const { blocked, proxy, clock, roundTrip } = await blockedScene(t);
  const rounds = 50;
  for (let round = 0; round < rounds && proxy.streamCount === 2; round++) {
    blocked.send(Buffer.concat([PONG, ...Array<Buffer>(150).fill(PING)]));
    for (let i = 0; i < 3; i++) await roundTrip();
    // In small steps: the client that reads answers the pings of the proxy.
    for (let i = 0; i < 4; i++) {
      await clock.advance(3_750);
      await roundTrip();
    }
  }
  if (proxy.streamCount === 2) blocked.send(WRONG);
  blocked.socket.resume();
  let isOver = false;
  void blocked.closed.then(() => {
    isOver = true;
  });
  await until(() => isOver || closeCode(blocked.received) !== undefined);
  assert.ok(count(blocked, OPCODE.pong) <= 2 * BURST, String(count(blocked, OPCODE.pong)));
});
