import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ndjson } from '../../src/transport/ndjson.ts';
import { sse } from '../../src/transport/sse.ts';
import { jsonSnapshot } from '../protocol/events.ts';
import { until } from '../support/until.ts';
import { HEARTBEAT_MS, openConnection } from './raw-connection.ts';

const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const PRELUDE = 'retry: 2000\n:ok\n\n';
const EVENT = jsonSnapshot('a-1', '1');
const FRAME = 'id: a-1\ndata: {"url":"/x","id":"a-1","event":"snapshot","data":1}\n\n';

test('a stream is an answer in chunks that nobody may store, transform, buffer or sniff', async (t) => {
  const { peer } = await openConnection(t, { framing: sse, headers: { 'x-more': 'yes' } });
  await until(() => peer.body === chunk(PRELUDE));
  assert.match(peer.head, /^HTTP\/1\.1 200 OK\r\n/);
  for (const line of [
    'content-type: text/event-stream',
    'transfer-encoding: chunked',
    'cache-control: no-store, no-transform',
    'x-content-type-options: nosniff',
    'x-accel-buffering: no',
    'incremental: ?1',
    'x-more: yes',
  ]) {
    assert.ok(peer.head.toLowerCase().includes(`\r\n${line}\r\n`), line);
  }
});

test('each event is a chunk', async (t) => {
  const { connection, peer } = await openConnection(t, { framing: sse });
  assert.equal(connection.send([EVENT, EVENT], '/x', true), true);
  await until(() => peer.body === chunk(PRELUDE) + chunk(FRAME) + chunk(FRAME));
});

test('over HTTP/1.0 there are no chunks', async (t) => {
  const { connection, peer } = await openConnection(t, { framing: sse, version: '1.0' });
  connection.send([EVENT], '/x', true);
  await until(() => peer.body === PRELUDE + FRAME);
  assert.ok(!/transfer-encoding/i.test(peer.head));
  connection.end(3_000);
  await until(() => peer.isClosed);
  assert.equal(peer.body, `${PRELUDE}${FRAME}retry: 3000\n\n`);
});

test('the padding that a peer asked for comes first', async (t) => {
  const { peer } = await openConnection(t, { framing: ndjson, paddingBytes: 5 });
  await until(() => peer.body === chunk('     \n'));
});

test('an end is a last chunk, and is told once', async (t) => {
  const { connection, peer, calls, clock } = await openConnection(t, { framing: sse });
  connection.end();
  connection.end();
  await until(() => peer.body === `${chunk(PRELUDE)}0\r\n\r\n`);
  assert.equal(calls.close, 1);
  assert.equal(clock.pending, 0);
  assert.equal(connection.isWritable, false);
  assert.equal(connection.send([EVENT], '/x', true), false);
  peer.destroy();
  await until(() => peer.isClosed);
  assert.equal(calls.close, 1);
});

test('an end may ask the peer to come back after a time', async (t) => {
  const { connection, peer } = await openConnection(t, { framing: sse });
  connection.end(7_000);
  await until(() => peer.body === `${chunk(PRELUDE)}${chunk('retry: 7000\n\n')}0\r\n\r\n`);
});

test('after an end the connection can be used again', async (t) => {
  const { connection, peer, requests } = await openConnection(t, { framing: sse });
  connection.end();
  await until(() => peer.body.endsWith('0\r\n\r\n'));
  peer.write('GET /again HTTP/1.1\r\nHost: x\r\n\r\n');
  await until(() => requests.length === 2);
});

test('a peer that leaves is noticed, once', async (t) => {
  const { connection, peer, calls, clock } = await openConnection(t, { framing: sse });
  peer.destroy();
  await until(() => calls.close > 0);
  connection.end();
  assert.equal(calls.close, 1);
  assert.equal(connection.isWritable, false);
  assert.equal(clock.pending, 0);
});

test('a heartbeat comes after a silence only', async (t) => {
  const { connection, peer, clock } = await openConnection(t, { framing: sse });
  await clock.advance(HEARTBEAT_MS - 1);
  connection.send([EVENT], '/x', true);
  await clock.advance(HEARTBEAT_MS - 1);
  await until(() => peer.body === chunk(PRELUDE) + chunk(FRAME));
  await clock.advance(1);
  await until(() => peer.body === chunk(PRELUDE) + chunk(FRAME) + chunk(':\n\n'));
  await clock.advance(2 * HEARTBEAT_MS);
  await until(() => peer.body.endsWith(chunk(':\n\n').repeat(3)));
});
