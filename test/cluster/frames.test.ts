import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameReader, frame } from '../../src/cluster/frames.ts';

interface Message {
  readonly head: unknown;
  readonly body: string;
}

/** Everything that a reader finds in these chunks. */
function read(chunks: readonly Uint8Array[]): Message[] {
  const messages: Message[] = [];
  const reader = new FrameReader((head, body) => {
    messages.push({ head, body: body.toString('hex') });
  });
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return messages;
}

/** The same bytes in pieces of these sizes, again and again. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (sizes[i % sizes.length] ?? 1);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

function uint32(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index);
  return bytes;
}

/** A message as it would be written by somebody who says this of its lengths. */
function claimed(length: number, headLength: number, rest: string): Buffer {
  return Buffer.concat([uint32(length, headLength), Buffer.from(rest)]);
}

const BODY = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 });
const HEAD = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue(), { maxKeys: 4 });
const SIZES = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

test('whatever the pieces in which they come, messages come out as they went in', () => {
  const sent = fc.array(fc.record({ head: HEAD, body: BODY }), { maxLength: 6 });
  fc.assert(
    fc.property(sent, SIZES, (messages, sizes) => {
      const bytes = Buffer.concat(messages.flatMap(({ head, body }) => frame(head, body)));
      const expected = messages.map(({ head, body }) => ({
        head: JSON.parse(JSON.stringify(head)) as unknown,
        body: Buffer.concat(body).toString('hex'),
      }));
      assert.deepEqual(read(cut(bytes, sizes)), expected);
      assert.deepEqual(read([bytes]), expected);
    }),
    { numRuns: 500 },
  );
});

test('a message is there with its last byte, and not before', () => {
  const bytes = Buffer.concat(frame({ kind: 'apply' }, [Buffer.from('state')]));
  assert.deepEqual(read([bytes.subarray(0, -1)]), []);
  assert.equal(read([bytes.subarray(0, -1), bytes.subarray(-1)]).length, 1);
});

test('the body that is written is the very same bytes, not a copy of them', () => {
  const body = [Buffer.from('one'), Buffer.from('two')];
  const [, first, second] = frame({}, body);
  assert.equal(first, body[0]);
  assert.equal(second, body[1]);
});

test('messages before one that is broken are still heard', () => {
  const heard: unknown[] = [];
  const reader = new FrameReader((head) => heard.push(head));
  const bytes = Buffer.concat([...frame({ n: 1 }), ...frame({ n: 2 }), claimed(6, 2, '{x')]);
  assert.throws(() => reader.push(bytes));
  assert.deepEqual(heard, [{ n: 1 }, { n: 2 }]);
});

test('what whoever is told throws comes out', () => {
  const reader = new FrameReader(() => {
    throw new Error('of the handler');
  });
  assert.throws(() => reader.push(Buffer.concat(frame({}))), /of the handler/);
});

test('a message that is too large is refused by its length, before it is there', () => {
  const reader = new FrameReader(() => undefined);
  assert.throws(() => reader.push(uint32(1_024 ** 3 + 1)), /1073741825 bytes/);
  assert.throws(() => read([uint32(0xff_ff_ff_ff)]));
  assert.deepEqual(read([uint32(1_024 ** 3)]), []);
});

const BROKEN: Readonly<Record<string, Buffer>> = {
  'without a length of its head': uint32(0, 0),
  'that ends inside of the length of its head': Buffer.concat([uint32(3), Buffer.alloc(7)]),
  'whose head would end after it': claimed(6, 3, '{}'),
  'whose head would end far after it': claimed(6, 0xff_ff_ff_ff, '{}'),
  'without a head': claimed(4, 0, ''),
  'whose head is cut off': claimed(11, 7, '{"a":1,'),
  'whose head is no JSON': claimed(8, 4, 'null'.toUpperCase()),
  'whose head goes on after its JSON': claimed(8, 4, '{}{}'),
};

for (const [name, bytes] of Object.entries(BROKEN)) {
  test(`a message ${name} is an error`, () => {
    assert.throws(() => read([bytes]));
    assert.throws(() => read(cut(bytes, [1])));
  });
}
