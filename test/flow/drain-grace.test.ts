import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startListener } from '../support/listener.ts';
import { get, readAnswer } from '../support/raw-answer.ts';
import type { RawPeer } from '../support/raw-peer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';

/** Longer than any of these tests may take. */
const NEVER = 3_600_000;
const DRAIN = { drain: '24h' };

/** So long that connections which nobody spares are gone. Longer is as good. */
const A_WHILE_MS = 300;

/** A connection that has been answered once, and waits. */
async function keep(t: TestContext, port: number): Promise<RawPeer> {
  const client = connectRaw(t, port);
  client.send(get());
  assert.notDeepEqual((await readAnswer(client)).values('connection'), ['close']);
  return client;
}

test('a request on a kept connection is answered while the listener closes, and is the last', async (t) => {
  const listener = await startListener(t, { limits: DRAIN, times: { graceMs: NEVER } });
  const client = await keep(t, listener.port);
  const from = client.received.length;
  const closed = listener.close();
  await delay(A_WHILE_MS);
  client.send(get());
  const answer = await readAnswer(client, { from });
  assert.deepEqual([answer.status, answer.values('connection')], [200, ['close']]);
  assert.equal(await client.closed, 'end');
  await closed;
});

test('so is the first request of a connection that was opened ahead', async (t) => {
  const listener = await startListener(t, { limits: DRAIN, times: { graceMs: NEVER } });
  const client = connectRaw(t, listener.port);
  await until(() => listener.connections.size === 1);
  const closed = listener.close();
  await delay(A_WHILE_MS);
  client.send(get());
  const answer = await readAnswer(client);
  assert.deepEqual([answer.status, answer.values('connection')], [200, ['close']]);
  await closed;
});

test('an answer whose head has not left yet says that it is the last', async (t) => {
  let held: ServerResponse | undefined;
  const listener = await startListener(t, {
    limits: DRAIN,
    times: { graceMs: NEVER },
    onRequest: (_req, res) => {
      held = res;
    },
  });
  const client = connectRaw(t, listener.port);
  client.send(get());
  await until(() => held !== undefined);
  const closed = listener.close();
  held?.end('ok');
  assert.deepEqual((await readAnswer(client)).values('connection'), ['close']);
  await closed;
});

test('connections on which nothing comes are ended after the grace, used or not', async (t) => {
  const listener = await startListener(t, { limits: DRAIN, times: { graceMs: 20 } });
  const clients = [await keep(t, listener.port), connectRaw(t, listener.port)];
  await until(() => listener.connections.size === 2);
  await Promise.all([listener.close(), ...clients.map(({ closed }) => closed)]);
});

test('the grace is a part of the time that the drain may take', async (t) => {
  const listener = await startListener(t, {
    limits: { drain: '80ms' },
    times: { graceMs: NEVER },
  });
  const client = await keep(t, listener.port);
  await listener.close();
  await client.closed;
});
