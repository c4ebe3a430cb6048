import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { TestListenerOptions } from '../support/listener.ts';
import { startListener } from '../support/listener.ts';
import { proxyV2 } from '../support/proxy-v2.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';

const V1 = 'PROXY TCP4 198.51.100.7 192.0.2.1 35646 80\r\n';
const CLIENT = { address: '198.51.100.7', isEncrypted: false };
const ITSELF = { address: '127.0.0.1', isEncrypted: false };

function start(t: TestContext, options: TestListenerOptions = {}) {
  const listen = { address: '127.0.0.1:0', proxyProtocol: true };
  return startListener(t, { listen, trustedProxies: ['127.0.0.1'], ...options });
}

const SPOKEN: readonly (readonly [name: string, header: string | Buffer, peer: object])[] = [
  ['version 1', V1, CLIENT],
  ['version 2', proxyV2(), CLIENT],
  ['version 1, UNKNOWN', 'PROXY UNKNOWN\r\n', ITSELF],
  ['version 2, LOCAL', proxyV2({ versionAndCommand: 0x20, body: Buffer.alloc(0) }), ITSELF],
];

for (const [name, header, peer] of SPOKEN) {
  test(`a trusted proxy says who the client is: ${name}`, async (t) => {
    const listener = await start(t);
    const client = connectRaw(t, listener.port);
    client.send(Buffer.concat([Buffer.from(header), Buffer.from(get())]));
    assert.equal((await readAnswer(client)).body, 'ok');
    client.send(get('/again'));
    await until(() => listener.peers.length === 2);
    assert.deepEqual(listener.peers, [peer, peer], 'for all requests of the connection');
  });

  test(`a header may come byte by byte: ${name}`, async (t) => {
    const listener = await start(t);
    const client = connectRaw(t, listener.port);
    for (const byte of Buffer.from(header)) {
      client.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.send(get());
    assert.equal((await readAnswer(client)).body, 'ok');
    assert.deepEqual(listener.peers, [peer]);
  });
}

test('whoever is not trusted cannot say who it is: it is cut, with one warning a minute', async (t) => {
  const listener = await start(t, { trustedProxies: ['10.0.0.0/8'] });
  for (let i = 0; i < 3; i++) {
    const client = connectRaw(t, listener.port);
    client.send(V1 + get());
    await client.closed;
    assert.equal(client.received, '');
  }
  assert.deepEqual(listener.peers, []);
  assert.equal(listener.lines.filter(({ level }) => level === 'warn').length, 1);
});

const REFUSED: Record<string, string> = {
  'no header': get(),
  'a malformed header': `PROXY TCP4 one two 1 2\r\n${get()}`,
  'a header without end': `PROXY UNKNOWN ${'x'.repeat(600)}`,
};

for (const [name, bytes] of Object.entries(REFUSED)) {
  test(`a connection without a right header is cut: ${name}`, async (t) => {
    const listener = await start(t);
    const client = connectRaw(t, listener.port);
    client.send(bytes);
    await client.closed;
    assert.equal(client.received, '');
    assert.deepEqual(listener.peers, []);
  });
}

test('a header that does not come in time is not waited for', async (t) => {
  const listener = await start(t, { times: { proxyHeaderMs: 20 } });
  const client = connectRaw(t, listener.port);
  client.send(V1.slice(0, 20));
  await client.closed;
  assert.equal(listener.connections.size, 0);
});

test('the limit per address counts the clients, not their proxy', async (t) => {
  const listener = await start(t, {
    limits: { connectionsPerAddress: 1 },
    listen: { address: '127.0.0.1:0', proxyProtocol: true },
  });
  const first = connectRaw(t, listener.port);
  first.send(V1 + get());
  assert.equal((await readAnswer(first)).status, 200);
  assert.equal((await ask(t, listener.port, V1 + get(), 'GET')).status, 429);
  const other = `PROXY TCP4 198.51.100.8 192.0.2.1 35646 80\r\n${get()}`;
  assert.equal((await ask(t, listener.port, other, 'GET')).status, 200);
});

test('without the option a header is no HTTP, and the client is who it is', async (t) => {
  const listener = await startListener(t, { trustedProxies: ['127.0.0.1'] });
  assert.equal((await ask(t, listener.port, V1 + get(), 'GET')).status, 400);
  assert.deepEqual(listener.peers, []);
});
