import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { Connections } from '../../src/server/connections.ts';
import { startListener } from '../support/listener.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { HANDSHAKE } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';

/** Open connections that have been answered once, and stay. */
async function occupy(t: TestContext, port: number, count: number): Promise<RawPeer[]> {
  const clients = Array.from({ length: count }, () => connectRaw(t, port));
  for (const client of clients) client.send(get());
  for (const client of clients) assert.equal((await readAnswer(client)).status, 200);
  return clients;
}

function assertTold(answer: RawAnswer, status: number, code: string): void {
  assert.equal(answer.status, status);
  assert.match(answer.body, new RegExp(`^${code}: `));
  assert.match(answer.values('retry-after')[0] ?? '', /^\d+$/);
  assert.deepEqual(answer.values('connection'), ['close']);
}

test('beyond all connections a client is told to come back, until one has left', async (t) => {
  const listener = await startListener(t, { limits: { connections: 3 } });
  const [first] = await occupy(t, listener.port, 3);
  assertTold(await ask(t, listener.port, get()), 503, 'TOO_MANY_CONNECTIONS');
  assertTold(await ask(t, listener.port, get('/', ...HANDSHAKE)), 503, 'TOO_MANY_CONNECTIONS');
  assert.equal(listener.peers.length, 3, 'its request goes no further');
  first?.socket.destroy();
  await until(() => listener.connections.size === 2);
  await occupy(t, listener.port, 1);
});

test('beyond the connections of one address a client is told that it has too many', async (t) => {
  const listener = await startListener(t, { limits: { connectionsPerAddress: 2 } });
  await occupy(t, listener.port, 2);
  assertTold(await ask(t, listener.port, get()), 429, 'TOO_MANY_CONNECTIONS_FOR_ADDRESS');
  assert.equal(listener.peers.length, 2);
});

test('trusted proxies may have any number of connections', async (t) => {
  const listener = await startListener(t, {
    limits: { connectionsPerAddress: 2 },
    trustedProxies: ['127.0.0.0/8'],
  });
  await occupy(t, listener.port, 5);
});

test('clients that do not even ask are cut, so that the refused ones stay few', async (t) => {
  const listener = await startListener(t, { limits: { connections: 1 } });
  await occupy(t, listener.port, 1);
  const silent = Array.from({ length: 100 }, () => connectRaw(t, listener.port));
  let cut = 0;
  for (const { closed } of silent) void closed.then(() => (cut += 1));
  await until(() => cut === 36);
  assert.equal(listener.connections.size, 65, '64 wait for their answer');
});

test('many connections in and out leave nothing behind', () => {
  const connections = new Connections({ connections: 10, connectionsPerAddress: 3 }, () => false);
  const open = Array.from({ length: 200 }, (_, i) => connections.enter(`192.0.2.${i % 5}`));
  const kinds = open.map(({ kind }) => kind);
  assert.equal(kinds.filter((kind) => kind === 'welcome').length, 10);
  assert.equal(kinds.filter((kind) => kind === 'refused').length, 64);
  for (const admission of open) {
    if (admission.kind === 'cut') continue;
    admission.leave();
    admission.leave();
  }
  assert.equal(connections.size, 0);
  assert.equal(connections.enter('192.0.2.1').kind, 'welcome');
});

test('clients without an address are not taken for one another', () => {
  const connections = new Connections({ connections: 10, connectionsPerAddress: 1 }, () => false);
  assert.equal(connections.enter(undefined).kind, 'welcome');
  assert.equal(connections.enter(undefined).kind, 'welcome');
});
