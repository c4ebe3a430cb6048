import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { raw } from '../../src/transport/coding.ts';
import { directIframe, sandboxedIframe } from '../../src/transport/iframe.ts';
import { mixed } from '../../src/transport/multipart.ts';
import { ndjson } from '../../src/transport/ndjson.ts';
import { sse } from '../../src/transport/sse.ts';
import { jsonSnapshot, snapshot } from '../protocol/events.ts';
import { until } from '../support/until.ts';
import { dechunk } from './dechunk.ts';
import { OPTIONS } from './framings.ts';
import { HEARTBEAT_MS, openConnection } from './raw-connection.ts';

const SECRET = `"${'secret '.repeat(100)}"`;
const EVENTS = [
  jsonSnapshot('a-1', '{"n":1}'),
  snapshot('a-2', 'again and '.repeat(50)),
  jsonSnapshot('a-3', `"${'x'.repeat(200_000)}"`),
];
const frame = (framing: typeof sse, event = EVENTS[0]) =>
  event ? raw.frameOf(framing, event, '/x').bytes.toString() : '';

for (const framing of [sse, ndjson, mixed, sandboxedIframe, directIframe]) {
  test(`${framing.name} as one gzip stream is the same text, to the end`, async (t) => {
    const { connection, peer, clock } = await openConnection(t, { framing, gzip: true });
    for (const event of EVENTS) connection.send([event], '/x', true);
    await until(() => peer.body.length > 0 && connection.isWritable);
    await clock.advance(HEARTBEAT_MS);
    connection.end(2_345);
    await until(() => peer.body.endsWith('\r\n0\r\n\r\n'));
    assert.match(peer.head, /\r\ncontent-encoding: gzip\r\n/i);
    const text = gunzipSync(dechunk(peer.body)).toString();
    const frames = EVENTS.map((event) => frame(framing, event));
    const around = [framing.prelude(OPTIONS), framing.heartbeat, framing.farewell(2_345)];
    assert.equal(text, [around[0], ...frames, around[1], around[2]].join(''));
  });
}

test('a stream without gzip does not say that it is one', async (t) => {
  const { peer } = await openConnection(t, { framing: sse });
  await until(() => peer.body !== '');
  assert.doesNotMatch(peer.head, /content-encoding/i);
});

test('a gzip stream is readable up to what was sent last', async (t) => {
  const { connection, peer } = await openConnection(t, { framing: sse, gzip: true });
  const [, event] = EVENTS;
  assert.ok(event);
  connection.send([event], '/x', true);
  const expected = sse.prelude(OPTIONS) + frame(sse, event);
  const read = () => {
    try {
      return gunzipSync(dechunk(peer.body, true), { finishFlush: 2 }).toString();
    } catch {
      return ''; // in the middle of a chunk
    }
  };
  await until(() => read() === expected);
});

test('what may not be compressed stands in the stream as it is, beside what is compressed', async (t) => {
  const { connection, peer } = await openConnection(t, { framing: ndjson, gzip: true });
  const hidden = jsonSnapshot('a-1', SECRET);
  const open = jsonSnapshot('a-2', `"${'public '.repeat(100)}"`);
  connection.send([open], '/x', true);
  connection.send([hidden], '/x', false);
  connection.send([open], '/x', false);
  connection.end();
  await until(() => peer.body.endsWith('\r\n0\r\n\r\n'));
  const bytes = dechunk(peer.body);
  const count = (text: string) => bytes.toString('latin1').split(text).length - 1;
  assert.equal(count(frame(ndjson, hidden)), 1);
  assert.equal(count(frame(ndjson, open)), 1, 'of two, one is compressed');
  const texts = [open, hidden, open].map((event) => frame(ndjson, event));
  assert.equal(gunzipSync(bytes).toString(), ['\n', ...texts].join(''));
});

for (const gzip of [false, true]) {
  const form = gzip ? 'gzip' : 'plain';
  test(`a ${form} stream ends after the event that passes its limit of text`, async (t) => {
    const event = jsonSnapshot('a-1', `"${'x'.repeat(1_000)}"`);
    const { length } = frame(ndjson, event);
    const maxBytes = 1 + 3 * length;
    const { connection, peer, calls } = await openConnection(t, {
      framing: ndjson,
      gzip,
      maxBytes,
    });
    assert.equal(connection.send([event], '/x', true), true);
    assert.equal(connection.send([event], '/x', true), true);
    assert.equal(connection.send([event], '/x', true), false);
    assert.equal(connection.send([event], '/x', true), false);
    assert.equal(calls.close, 1);
    await until(() => peer.body.endsWith('\r\n0\r\n\r\n'));
    const bytes = dechunk(peer.body);
    const text = (gzip ? gunzipSync(bytes) : bytes).toString();
    const retry = '{"event":"retry","data":{"retryMs":0}}\n';
    assert.equal(text, `\n${frame(ndjson, event).repeat(3)}${retry}`);
  });
}

test('a stream is not ended one byte before its limit', async (t) => {
  const event = jsonSnapshot('a-1', '1');
  const maxBytes = 2 + frame(ndjson, event).length;
  const { connection } = await openConnection(t, { framing: ndjson, maxBytes });
  assert.equal(connection.send([event], '/x', true), true);
  assert.equal(connection.send([event], '/x', true), false);
});
