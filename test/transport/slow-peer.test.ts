import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunked } from '../../src/transport/coding.ts';
import { ndjson } from '../../src/transport/ndjson.ts';
import { snapshot } from '../protocol/events.ts';
import { until } from '../support/until.ts';
import type { OpenConnection } from './raw-connection.ts';
import { HEARTBEAT_MS, openConnection } from './raw-connection.ts';

const LARGE = snapshot('a-1', 'x'.repeat(1_000_000));

/** Write to a peer that does not read until its buffers are full; gives the number of events. */
async function fill({ connection, peer }: OpenConnection): Promise<number> {
  await until(() => peer.body !== '');
  peer.pause();
  for (let sent = 1; ; sent++) {
    if (!connection.send([LARGE], '/x', true)) return sent;
    // What the kernel takes is no backpressure: let it take what it can.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a peer that does not read is blocked until it has drained', async (t) => {
  const open = await openConnection(t, { framing: ndjson });
  const { connection, peer, calls } = open;
  const sent = await fill(open);
  assert.equal(connection.isWritable, false);
  assert.equal(calls.drain, 0);
  peer.resume();
  await until(() => calls.drain > 0);
  assert.equal(connection.isWritable, true);
  const frame = chunked.frameOf(ndjson, LARGE, '/x').bytes.toString();
  const expected = chunked.encode('\n').bytes.toString() + frame.repeat(sent);
  await until(() => peer.body.length >= expected.length);
  assert.ok(peer.body === expected, 'nothing is lost, doubled or added');
  assert.equal(calls.drain, 1);
});

test('a peer that is blocked gets no heartbeat', async (t) => {
  const open = await openConnection(t, { framing: ndjson });
  const { peer, clock } = open;
  const sent = await fill(open);
  await clock.advance(2 * HEARTBEAT_MS);
  peer.resume();
  const frames = chunked.frameOf(ndjson, LARGE, '/x').bytes.length * sent;
  await until(() => peer.body.length >= frames + 6);
  assert.equal(peer.body.length, frames + 6); // and the prelude, one byte in a chunk
});

test('a peer that has drained gets heartbeats again', async (t) => {
  const open = await openConnection(t, { framing: ndjson });
  const { peer, clock, calls } = open;
  await fill(open);
  peer.resume();
  await until(() => calls.drain > 0);
  await clock.advance(HEARTBEAT_MS);
  await until(() => peer.body.endsWith('\r\n1\r\n\n\r\n'));
});

test('a peer that reads nothing for too long is gone', async (t) => {
  const open = await openConnection(t, { framing: ndjson, stallMs: 200 });
  const { connection, clock, calls } = open;
  await fill(open);
  await until(() => calls.close === 1);
  assert.equal(connection.isWritable, false);
  assert.equal(clock.pending, 0);
});

test('a peer that never reads the end of its stream does not keep the connection', async (t) => {
  const open = await openConnection(t, { framing: ndjson, stallMs: 200 });
  await fill(open);
  open.connection.end(1_000);
  // Its end is queued behind what is not read: only the timeout can end this.
  await until(() => open.serverSockets.size === 0);
});

test('a stream that ends while its peer is blocked is over at once for us', async (t) => {
  const open = await openConnection(t, { framing: ndjson });
  const { connection, peer, clock, calls } = open;
  await fill(open);
  connection.end(1_000);
  assert.equal(calls.close, 1);
  assert.equal(clock.pending, 0);
  peer.resume();
  await until(() => peer.body.endsWith('0\r\n\r\n'));
  assert.ok(peer.body.includes('"retryMs":1000'));
  assert.equal(calls.drain, 0);
});
