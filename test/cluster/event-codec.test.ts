import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeEvent,
  decodeEvents,
  encodeEvent,
  encodeEvents,
} from '../../src/cluster/event-codec.ts';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { changed } from '../channel/patched.ts';
import { snapshot } from '../protocol/events.ts';

const TEXT = fc.string({ unit: 'binary', maxLength: 20 });
const NAMES = fc.constantFrom('content-type', 'etag', '__proto__', 'vary');
const HEADERS = fc.dictionary(NAMES, TEXT, { noNullPrototype: true });

const EVENT: fc.Arbitrary<ChannelEvent> = fc.record(
  {
    type: fc.constantFrom(
      'snapshot',
      'patch',
      'unauthorized',
      'gone',
      'personal',
      'stale',
      'fresh',
    ),
    id: TEXT,
    data: fc.uint8Array({ maxLength: 80 }),
    encoding: fc.constantFrom('utf8', 'base64'),
    headers: HEADERS,
    status: fc.constantFrom(200, 204),
  },
  { requiredKeys: ['type', 'data', 'encoding', 'headers'], noNullPrototype: true },
);

const WITH_PATCH: fc.Arbitrary<ChannelEvent> = fc
  .tuple(
    EVENT,
    fc.option(fc.record({ base: TEXT, event: EVENT }, { noNullPrototype: true }), {
      nil: undefined,
    }),
  )
  .map(([event, patch]) => (patch ? { ...event, patch } : event));

function bytesOf(event: ChannelEvent): Buffer {
  return Buffer.concat(encodeEvent(event));
}

/** All of an event, its bytes as text: whatever kind of array holds them. */
function plain({ data, patch, ...rest }: ChannelEvent): object {
  const own = { ...rest, data: Buffer.from(data).toString('hex') };
  return patch ? { ...own, patch: { base: patch.base, event: plain(patch.event) } } : own;
}

test('an event comes out as it went in, with its patch and its headers, whatever its bytes are', () => {
  fc.assert(
    fc.property(WITH_PATCH, (event) => {
      assert.deepEqual(plain(decodeEvent(bytesOf(event))), plain(event));
    }),
    { numRuns: 500 },
  );
});

test('several events come out one by one, in their order', () => {
  fc.assert(
    fc.property(fc.array(WITH_PATCH, { maxLength: 6 }), (events) => {
      const bytes = Buffer.concat(encodeEvents(events));
      assert.deepEqual(decodeEvents(bytes).map(plain), events.map(plain));
    }),
  );
});

test('no event is no bytes', () => {
  assert.deepEqual(encodeEvents([]), []);
  assert.deepEqual(decodeEvents(Buffer.alloc(0)), []);
});

test('an event is encoded once for all who get it, and its data are not copied', () => {
  const event = changed(2);
  const parts = encodeEvent(event);
  assert.equal(encodeEvent(event)[0], parts[0]);
  assert.notEqual(encodeEvent({ ...event })[0], parts[0], 'another event, however alike');
  assert.equal(parts[1], event.data);
  assert.equal(parts[2], event.patch?.event.data);
  const among = encodeEvents([snapshot('a-1'), event]);
  for (const [index, part] of parts.entries()) assert.equal(among.slice(-3)[index], part);
});

test('what is decoded keeps its own bytes, and nothing of what came with them', () => {
  const bytes = bytesOf(changed(2));
  const event = decodeEvent(bytes);
  const before = plain(event);
  bytes.fill(0);
  assert.deepEqual(plain(event), before);
  for (const { data } of [event, event.patch?.event ?? event]) {
    assert.equal(data.buffer.byteLength, data.length);
  }
});

const WHOLE = bytesOf(changed(2));

test('an event that is cut off anywhere is none', () => {
  for (let length = 0; length < WHOLE.length; length++) {
    assert.throws(() => decodeEvent(WHOLE.subarray(0, length)), `after ${length} bytes`);
  }
});

test('a row of events that is cut off anywhere inside of one is none', () => {
  const [length = Buffer.alloc(0)] = encodeEvents([changed(2)]);
  const all = Buffer.concat([length, WHOLE, length, WHOLE]);
  const boundary = all.length / 2;
  for (let end = boundary + 1; end < all.length; end++) {
    assert.throws(() => decodeEvents(all.subarray(0, end)), `after ${end} bytes`);
  }
  assert.equal(decodeEvents(all.subarray(0, boundary)).length, 1);
});
