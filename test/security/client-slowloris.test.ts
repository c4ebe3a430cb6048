import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { createCertificate } from '../support/certificate.ts';
import { startListener } from '../support/listener.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw, watchSocket } from '../support/raw-peer.ts';

const TIMES = { headersMs: 300, headersCheckMs: 20 };
const MANY = 200;

/** Send a byte now and then, for as long as the connection is there. */
function drip(t: TestContext, peer: RawPeer, byte: string): void {
  const timer = setInterval(() => peer.send(byte), 20);
  t.after(() => clearInterval(timer));
  void peer.closed.then(() => clearInterval(timer));
}

test('heads that come byte by byte are given up, and hold nobody else up', async (t) => {
  const listener = await startListener(t, { times: TIMES });
  const slow = Array.from({ length: MANY }, () => connectRaw(t, listener.port));
  for (const peer of slow) {
    peer.send('GET / HTTP/1.1\r\nHost: a\r\nX: ');
    drip(t, peer, 'y');
  }
  let left = slow.length;
  const gone = slow.map(({ closed }) => closed.then(() => (left -= 1)));
  let served = 0;
  while (left > 0) {
    assert.equal((await ask(t, listener.port, get('/', 'Connection: close'))).status, 200);
    served += 1;
  }
  await Promise.all(gone);
  assert.ok(served > 0);
  assert.equal(listener.peers.length, served, 'no slow one was handed on');
  for (const { received } of slow) assert.match(received, /^$|^HTTP\/1\.1 408 /);
});

test('a connection on which nothing is said is given up', async (t) => {
  const listener = await startListener(t, { times: TIMES });
  await connectRaw(t, listener.port).closed;
});

test('the second head of a connection has no more time than the first', async (t) => {
  const listener = await startListener(t, { times: TIMES });
  const client = connectRaw(t, listener.port);
  client.send(get());
  await readAnswer(client);
  client.send('GET / HTTP/1.1\r\nX: ');
  drip(t, client, 'y');
  await client.closed;
  assert.equal(listener.peers.length, 1);
});

test('heads over TLS have no more time', async (t) => {
  const listen = { address: '127.0.0.1:0', tls: createCertificate(t) };
  const listener = await startListener(t, { listen, times: TIMES });
  const socket = connect({ port: listener.port, host: '127.0.0.1', rejectUnauthorized: false });
  t.after(() => socket.destroy());
  const client = watchSocket(socket);
  client.send('GET / HTTP/1.1\r\nX: ');
  drip(t, client, 'y');
  await client.closed;
  assert.match(client.received, /^$|^HTTP\/1\.1 408 /);
});

test('a connection that was used is kept for a while only', async (t) => {
  const listener = await startListener(t, { times: { idleMs: 20 } });
  const client = connectRaw(t, listener.port);
  client.send(get());
  assert.equal((await readAnswer(client)).status, 200);
  await client.closed;
});

test('a body that is never sent does not keep the connection of its answer', async (t) => {
  const listener = await startListener(t, { limits: { bodyTimeout: '50ms' } });
  const client = connectRaw(t, listener.port);
  client.send(get('/', 'Content-Length: 1000000000').replace('GET', 'POST'));
  assert.equal((await readAnswer(client)).status, 200);
  drip(t, client, 'x');
  await client.closed;
});

test('an answer may take longer than a head or a body', async (t) => {
  const listener = await startListener(t, {
    times: { ...TIMES, headersMs: 40 },
    limits: { bodyTimeout: '10ms' },
    onRequest: (_req, res) => void setTimeout(() => res.end('late'), 200),
  });
  assert.equal((await ask(t, listener.port, get())).body, 'late');
});
