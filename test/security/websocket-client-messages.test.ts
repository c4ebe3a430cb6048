import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { openBodies, openEnvelopes } from '../flow/socket-client.ts';
import { startStates } from '../flow/states-site.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { upgrade } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';
import { clientFrame, closeCode, deflated, OPCODE } from './websocket-frames.ts';

const MESSAGE_BYTES = 1_024;

async function scene(t: TestContext, config: object = {}) {
  const site = await startStates(t, { '/api/a': '"a1"', '/api/b': '"b1"', '/own': '1' });
  const live = {
    '/api/:name': { every: '50ms', vary: [] },
    '/own': { every: '50ms', vary: [], transports: ['sse'] },
  };
  const limits = { messageBytes: '1KiB', urlsPerStream: 3 };
  const proxy = await startTestProxy(t, { site: site.url, live, limits, ...config });
  const connect = async (target = '/_comet/ws', ...lines: string[]): Promise<RawPeer> => {
    const peer = connectRaw(t, proxy.port);
    peer.send(upgrade(target, ...lines));
    await peer.receive(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/);
    return peer;
  };
  return { site, proxy, connect };
}

/** Wait for the close frame. The peer leaves then, as one that has understood it. */
async function closedWith(peer: RawPeer): Promise<number | undefined> {
  let isOver = false;
  void peer.closed.then(() => {
    isOver = true;
  });
  await until(() => isOver || closeCode(peer.received) !== undefined);
  peer.socket.end();
  return closeCode(peer.received);
}

const text = (length: number) => JSON.stringify({ subscribe: '/api/a', pad: '' }).padEnd(length);
const FATAL: readonly [what: string, frames: readonly Buffer[], code: number][] = [
  ['a message that is too large', [clientFrame(text(MESSAGE_BYTES + 1))], 1009],
  [
    'a message that is too large in all its fragments',
    [
      clientFrame(text(MESSAGE_BYTES), { isFinal: false }),
      clientFrame(' ', { opcode: OPCODE.continuation }),
    ],
    1009,
  ],
  ['a length that no message can have', [clientFrame('', { claimedLength: 2n ** 62n })], 1009],
  ['a binary message', [clientFrame(text(60), { opcode: OPCODE.binary })], 1003],
  ['a text that is not UTF-8', [clientFrame(Buffer.from([0x22, 0xc3, 0x28, 0x22]))], 1007],
  ['a frame without a mask', [clientFrame(text(60), { isMasked: false })], 1002],
  ['an opcode that nobody knows', [clientFrame('', { opcode: 5 })], 1002],
  [
    'a compressed message that was not agreed upon',
    [clientFrame('x', { isCompressed: true })],
    1002,
  ],
  ['a ping that is too long', [clientFrame('x'.repeat(126), { opcode: OPCODE.ping })], 1002],
];
for (const target of ['/_comet/ws', '/api/b']) {
  for (const [what, frames, code] of FATAL) {
    test(`on ${target} ${what} ends the connection with ${code}`, async (t) => {
      const { proxy, connect } = await scene(t);
      const peer = await connect(target);
      for (const frame of frames) peer.send(frame);
      assert.equal(await closedWith(peer), code);
      assert.doesNotMatch(peer.received, /a1/, 'and is not acted upon');
      await until(() => proxy.streamCount === 0);
    });
  }
}

test('a message as large as allowed is read', async (t) => {
  const { connect } = await scene(t);
  const peer = await connect();
  peer.send(clientFrame(text(MESSAGE_BYTES)));
  await peer.receive('"a1"');
});

const WRONG: readonly [what: string, message: string, code: string][] = [
  ['no JSON', 'subscribe /api/a', 'BAD_MESSAGE'],
  ['nothing', '', 'BAD_MESSAGE'],
  ['no object', '["subscribe","/api/a"]', 'BAD_MESSAGE'],
  ['null', 'null', 'BAD_MESSAGE'],
  ['a URL that is no text', '{"subscribe":["/api/a"]}', 'BAD_MESSAGE'],
  ['an object without a wish', '{"url":"/api/a"}', 'BAD_MESSAGE'],
  ['a wish in __proto__', '{"__proto__":{"subscribe":"/api/a"}}', 'BAD_MESSAGE'],
  ['a wish in constructor', '{"constructor":{"prototype":{"subscribe":"/api/a"}}}', 'BAD_MESSAGE'],
  ['a URL that is not live', '{"subscribe":"/elsewhere"}', 'NOT_LIVE'],
  ['a URL of ours', '{"subscribe":"/_comet/sse?url=/api/a"}', 'NOT_LIVE'],
  ['a URL of ours in other letters', '{"subscribe":"/_COMET/ws"}', 'NOT_LIVE'],
  ["another site's URL", '{"subscribe":"http://evil.example/api/a"}', 'BAD_URL'],
  ["another site's URL without a scheme", '{"subscribe":"//evil.example/api/a"}', 'BAD_URL'],
  ['a URL with a line break', '{"subscribe":"/api/a HTTP/1.1\\r\\nX: y"}', 'BAD_URL'],
  ['an empty URL', '{"subscribe":""}', 'BAD_URL'],
  ['an endpoint without the transport', '{"subscribe":"/own"}', 'TRANSPORT_NOT_ALLOWED'],
  ['the end of what is not live', '{"unsubscribe":"/elsewhere"}', 'NOT_LIVE'],
];
for (const [what, message, code] of WRONG) {
  test(`a message with ${what} is told as an error, and the connection goes on`, async (t) => {
    const { site, proxy } = await scene(t);
    const client = await openEnvelopes(t, proxy.url);
    client.say(message);
    const { event, data } = await client.next();
    const told = data as { code: string; status: number; message: string };
    assert.deepEqual([event, told.code], ['error', code]);
    assert.ok(told.status >= 400 && told.status < 500 && told.message.length > 0);
    assert.equal(site.requests.length, 0);
    client.say({ subscribe: '/api/a' });
    assert.equal((await client.next()).data, 'a1');
    assert.equal(Object.hasOwn(Object.prototype, 'subscribe'), false);
  });
}

test('one URL too many is told as an error, and those that are there go on', async (t) => {
  const { site, proxy } = await scene(t);
  const client = await openEnvelopes(t, proxy.url, '?url=/api/a&url=/api/a?1&url=/api/a?2');
  for (let i = 0; i < 3; i++) await client.next();
  client.say({ subscribe: '/api/b' });
  const { event, url, data } = await client.next();
  const { code } = data as { code: string };
  assert.deepEqual([event, url, code], ['error', '/api/b', 'TOO_MANY_URLS']);
  client.say({ subscribe: '/api/a' });
  assert.deepEqual((await client.next()).data, 'a1', 'once more for the same is not one more');
  client.say({ unsubscribe: '/api/a?2' });
  client.say({ subscribe: '/api/b' });
  assert.equal((await client.next()).data, 'b1');
  assert.equal(site.polls('/api/b') > 0, true);
});

test('nothing can be said to a bare stream, and what is said does no harm', async (t) => {
  const { site, proxy } = await scene(t);
  const client = await openBodies(t, `${proxy.url}/api/a`);
  await client.next();
  client.say({ subscribe: '/api/b' });
  client.say('{');
  site.set('/api/a', '"a2"');
  assert.equal((await client.next()).bytes.toString(), '"a2"');
  assert.equal(site.polls('/api/b'), 0);
});

test('a compressed message that grows beyond the limit ends the connection with 1009', async (t) => {
  const { connect } = await scene(t, { webSocketCompression: true });
  const peer = await connect('/_comet/ws', 'Sec-WebSocket-Extensions: permessage-deflate');
  assert.match(peer.received, /permessage-deflate/);
  const bomb = deflated(Buffer.alloc(500_000, ' '));
  assert.ok(bomb.length < MESSAGE_BYTES, 'it is small enough as it is sent');
  peer.send(clientFrame(bomb, { isCompressed: true }));
  assert.equal(await closedWith(peer), 1009);
});
