import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventSourceMessage } from 'eventsource-parser';
import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { bareSse, sse } from '../../src/transport/sse.ts';
import { jsonSnapshot, snapshot } from '../protocol/events.ts';
import { frameBytes, OPTIONS } from './framings.ts';
import { NASTY_TEXTS } from './nasty-texts.ts';

/** What a browser makes of bytes. */
function parse(bytes: string): EventSourceMessage[] {
  const messages: EventSourceMessage[] = [];
  const onError = (error: Error) => assert.fail(error);
  createParser({ onEvent: (message) => messages.push(message), onError }).feed(bytes);
  return messages;
}

const bare = (event: ChannelEvent) => frameBytes(bareSse, event).toString();
const enveloped = (event: ChannelEvent) => frameBytes(sse, event).toString();

test('a bare snapshot is the body, with its id and no event name', () => {
  assert.equal(bare(jsonSnapshot('a-1', '{"n": 1}')), 'id: a-1\ndata: {"n": 1}\n\n');
});

test('a bare snapshot of several lines has a field for each', () => {
  assert.equal(bare(snapshot('a-1', 'a\nb')), 'id: a-1\ndata: a\ndata: b\n\n');
  assert.equal(
    bare(snapshot('a-1', 'a\r\nb\rc\n')),
    'id: a-1\ndata: a\ndata: b\ndata: c\ndata: \n\n',
  );
});

test('a bare patch has its name', () => {
  const patch: ChannelEvent = { ...jsonSnapshot('a-2', '[]'), type: 'patch' };
  assert.equal(bare(patch), 'id: a-2\nevent: patch\ndata: []\n\n');
});

test('an event without state leaves the cursor as it is', () => {
  const stale = controlEvent('stale', 'a-1', { code: 'UPSTREAM_STATUS', status: 503 });
  const data = '{"code":"UPSTREAM_STATUS","status":503}';
  assert.equal(bare(stale), `event: stale\ndata: ${data}\n\n`);
  assert.equal(
    bare(controlEvent('unauthorized', undefined, { status: 401 })),
    'event: unauthorized\ndata: {"status":401}\n\n',
  );
});

test('an enveloped snapshot names its URL', () => {
  assert.equal(
    enveloped(jsonSnapshot('a-1', '{"n": 1}')),
    'id: a-1\ndata: {"url":"/x","id":"a-1","event":"snapshot","data":{"n": 1}}\n\n',
  );
});

test('an enveloped last word names its URL and has no id', () => {
  assert.equal(
    enveloped(controlEvent('gone', undefined, { status: 410 })),
    'event: gone\ndata: {"url":"/x","event":"gone","data":{"status":410}}\n\n',
  );
});

test('the prelude asks for a reconnect after a moment, and shows that the stream is open', () => {
  assert.equal(
    sse.prelude({ ...OPTIONS, retryMs: 2_500.4, paddingBytes: 0 }),
    'retry: 2500\n:ok\n\n',
  );
  assert.equal(
    sse.prelude({ ...OPTIONS, retryMs: 2_500, paddingBytes: 3 }),
    ':   \nretry: 2500\n:ok\n\n',
  );
});

test('nobody is asked to reconnect in less than a second', () => {
  assert.equal(sse.prelude({ ...OPTIONS, retryMs: 0, paddingBytes: 0 }), 'retry: 1000\n:ok\n\n');
  assert.equal(sse.farewell(1), 'retry: 1000\n\n');
  assert.equal(sse.farewell(4_321.5), 'retry: 4322\n\n');
});

test('prelude, heartbeat and farewell are no events', () => {
  const { prelude, heartbeat, farewell } = bareSse;
  const bytes =
    prelude({ ...OPTIONS, retryMs: 2_000, paddingBytes: 2_048 }) + heartbeat + farewell(5_000);
  assert.deepEqual(parse(bytes), []);
  assert.equal(heartbeat, ':\n\n');
});

test('the type is text/event-stream, which has no charset', () => {
  for (const framing of [sse, bareSse]) {
    assert.deepEqual(framing.headers(OPTIONS), { 'content-type': 'text/event-stream' });
  }
});

for (const [name, text] of NASTY_TEXTS) {
  test(`a document with ${name} arrives whole, bare and enveloped`, () => {
    const event = snapshot('a-1', text);
    const expected = text.replace(/\r\n|\r/g, '\n');
    assert.deepEqual(parse(bare(event)), [{ id: 'a-1', event: undefined, data: expected }]);
    const [message, ...others] = parse(enveloped(event));
    assert.equal(others.length, 0);
    const envelope = JSON.parse(message?.data ?? '') as { data: string };
    assert.equal(envelope.data, text);
  });
}

test('any text arrives with its line ends normalised and its id intact', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\r', '\n', '\r\n', 'data: x', 'id: y', ':', ' ', '\0', '\ufeff', '\u2028'),
  );
  const text = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(text, (given) => {
      const data = Buffer.from(given)
        .toString()
        .replace(/\r\n|\r/g, '\n');
      const bytes = bare(snapshot('e-7', given)) + bare(snapshot('e-8', 'next'));
      assert.deepEqual(parse(bytes), [
        { id: 'e-7', event: undefined, data },
        { id: 'e-8', event: undefined, data: 'next' },
      ]);
    }),
    { numRuns: 500 },
  );
});
