import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Answers the first request of each connection, and lets the second one die. */
function startForgetful(t: Parameters<typeof startRawUpstream>[0]) {
  return startRawUpstream(t, (peer: RawPeer) => {
    peer.socket.once('data', () => {
      peer.send(OK);
      peer.socket.once('data', () => peer.reset());
    });
  });
}

for (const [request, isAskedAgain] of [
  [get('/again'), true],
  ['HEAD /again HTTP/1.1\r\nHost: a\r\n\r\n', true],
  ['OPTIONS /again HTTP/1.1\r\nHost: a\r\n\r\n', true],
  ['POST /again HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', false],
  ['POST /again HTTP/1.1\r\nHost: a\r\n\r\n', false],
  ['PUT /again HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi', false],
  ['PATCH /again HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi', false],
  ['PROPFIND /again HTTP/1.1\r\nHost: a\r\n\r\n', false],
  ['GET /again HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi', false],
  ['GET /again HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', false],
] as const) {
  const name = JSON.stringify(request.replace('\r\nHost: a', ''));
  const rule = isAskedAgain ? 'is asked again once, on a fresh connection' : 'is not asked again';
  test(`after a kept connection has died ${name} ${rule}`, async (t) => {
    const upstream = await startForgetful(t);
    const proxy = await startTestProxy(t, { site: upstream.url });
    assert.equal((await ask(t, proxy.port, get('/first'))).status, 200);
    assert.equal((await ask(t, proxy.port, request)).status, isAskedAgain ? 200 : 502);
    const seen = upstream.connections.map(({ received }) => received.split('/again').length - 1);
    assert.deepEqual(seen, isAskedAgain ? [1, 1] : [1]);
  });
}

test('what has begun to answer is not asked again', async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => {
      peer.send(OK);
      peer.socket.once('data', () => {
        peer.send('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf');
        peer.socket.end();
      });
    });
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  await ask(t, proxy.port, get('/first'));
  const answer = await ask(t, proxy.port, get('/second'));
  assert.deepEqual([answer.body, answer.isWhole], ['half', false]);
  assert.equal(upstream.connections.length, 1);
});

test('what timed out, or was not HTTP, is not asked again', async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.on('data', () => {
      if (peer.received.includes('/odd')) peer.send('nonsense\r\n\r\n');
    });
  });
  const proxy = await startTestProxy(t, { site: { url: upstream.url, responseTimeout: '200ms' } });
  assert.equal((await ask(t, proxy.port, get('/slow'))).status, 504);
  assert.equal(upstream.connections.length, 1);
  assert.equal((await ask(t, proxy.port, get('/odd'))).status, 502);
  assert.equal(upstream.connections.length, 2);
});
