import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { envelope } from '../../src/transport/envelope.ts';
import { poll } from '../../src/transport/poll.ts';
import { sse } from '../../src/transport/sse.ts';
import { jsonSnapshot, snapshot } from '../protocol/events.ts';
import { frameBytes, OPTIONS } from './framings.ts';
import { anyEvents, anyUrl } from './script-page.ts';

const body = (...frames: Buffer[]) => poll.body(frames, OPTIONS).toString();

test('an answer holds the envelopes in order', () => {
  const frames = [jsonSnapshot('a-1', '{"n": 1}'), snapshot('a-2', 'é')].map((event) =>
    frameBytes(poll, event),
  );
  assert.equal(
    body(...frames),
    '{"events":[{"url":"/x","id":"a-1","event":"snapshot","data":{"n": 1}},{"url":"/x","id":"a-2","event":"snapshot","contentType":"text/plain; charset=utf-8","data":"é"}]}',
  );
});

test('an answer without events, and one with the word to come back only', () => {
  assert.equal(body(), '{"events":[]}');
  assert.equal(
    body(poll.farewell(2_000.4)),
    '{"events":[{"event":"retry","data":{"retryMs":2000}}]}',
  );
});

test('it is JSON', () => {
  assert.deepEqual(poll.headers(OPTIONS), { 'content-type': 'application/json; charset=utf-8' });
});

test('whatever the events hold, the answer is JSON with their envelopes', () => {
  fc.assert(
    fc.property(anyEvents, anyUrl, (events, url) => {
      const frames = events.map((event) => frameBytes(poll, event, url));
      const expected = events.map((event) => JSON.parse(envelope(event, url).toString()));
      assert.deepEqual(JSON.parse(body(...frames)), { events: expected });
    }),
  );
});

test('clients that see a status are refused by it', () => {
  assert.equal(poll.refusal, undefined);
});

// EventSource gives up for good on any status but 200.
test('an event stream that may be had later is refused inside a stream, any other by its status', () => {
  for (const code of ['TOO_MANY_FOR_ADDRESS', 'TOO_MANY_STREAMS', 'DRAINING'] as const) {
    assert.equal(sse.refusal?.(code, OPTIONS), `:${code}\nretry: 2000\n\n`);
  }
  for (const code of ['NOT_LIVE', 'CROSS_SITE', 'UPSTREAM_TIMEOUT', 'INTERNAL'] as const) {
    assert.equal(sse.refusal?.(code, OPTIONS), undefined);
  }
});
