import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, crc32, gunzipSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { combine, shiftOf } from '../../src/transport/crc32.ts';
import {
  compressedBlock,
  GZIP_HEADER,
  GzipSum,
  pieceOf,
  storedBlock,
} from '../../src/transport/gzip.ts';

const empty = fc.constant(Buffer.alloc(0));
const tiny = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));
const repeating = fc
  .tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 9_000 }))
  .map(([text, times]) => Buffer.from(text.repeat(times)));
/** Bytes that no compressor makes smaller, about as many as a stored block can hold. */
const dense = fc
  .tuple(fc.integer({ min: 1, max: 0x7fffffff }), fc.constantFrom(300, 65_534, 65_535, 65_536))
  .map(([seed, size]) => noise(seed, size));
const piece = fc.record({
  text: fc.oneof(
    { weight: 1, arbitrary: empty },
    { weight: 4, arbitrary: tiny },
    { weight: 2, arbitrary: repeating },
    { weight: 1, arbitrary: dense },
  ),
  isCompressed: fc.boolean(),
});
type Pieces = readonly { readonly text: Buffer; readonly isCompressed: boolean }[];

function noise(seed: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

const blockOf = ({ text, isCompressed }: Pieces[number]) =>
  isCompressed ? compressedBlock(text) : storedBlock(text);

/** One connection's whole stream. */
function gzipped(pieces: Pieces): Buffer {
  const sum = new GzipSum();
  for (const { text } of pieces) sum.add(pieceOf(text));
  return Buffer.concat([GZIP_HEADER, ...pieces.map(blockOf), sum.trailer()]);
}

test('any pieces, compressed or stored, are one gzip stream with a valid end', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const whole = Buffer.concat(pieces.map(({ text }) => text));
      assert.ok(gunzipSync(gzipped(pieces)).equals(whole));
    }),
  );
});

test('a piece can be read without those before it, as far as it was sent', () => {
  fc.assert(
    fc.property(piece, (one) => {
      const block = blockOf(one);
      const read = inflateRawSync(block, { finishFlush: constants.Z_SYNC_FLUSH });
      assert.ok(read.equals(one.text));
      // Behind another piece's end, whoever reads it has the same.
      const alone = Buffer.concat([GZIP_HEADER, block]);
      const partly = gunzipSync(alone, { finishFlush: constants.Z_SYNC_FLUSH });
      assert.ok(partly.equals(one.text));
    }),
  );
});

test('the sum is checked: a stream that lost a piece, or changed one, is refused', () => {
  const pieces = [{ text: Buffer.from('some text'), isCompressed: false }];
  const bytes = gzipped(pieces);
  const changed = Buffer.from(bytes);
  changed[GZIP_HEADER.length + 5] = 'S'.charCodeAt(0);
  assert.throws(() => gunzipSync(changed), /incorrect data check/);
  assert.throws(() => gunzipSync(bytes.subarray(0, -1)), /unexpected end/);
});

test('the CRC of a concatenation is made of the sums of its parts', () => {
  const text = fc.oneof(empty, tiny, repeating, dense);
  fc.assert(
    fc.property(text, text, (first, second) => {
      const combined = combine(crc32(first), crc32(second), shiftOf(second.length));
      assert.equal(combined, crc32(Buffer.concat([first, second])));
    }),
  );
});

test('the sum of nothing is neutral, on either side', () => {
  const crc = crc32('text');
  assert.equal(combine(0, crc, shiftOf(4)), crc);
  assert.equal(combine(crc, 0, shiftOf(0)), crc);
});

test('a CRC can be moved by more bytes than 32 bits count', () => {
  // The polynomial is primitive: x comes round to 1 after so many steps, and not before.
  const round = 2 ** 32 - 1;
  const crc = crc32('text');
  const moved = (bytes: number) => combine(crc, 0, shiftOf(bytes));
  for (const times of [1, 2, 7]) assert.equal(moved(times * round + 5), moved(5));
  assert.notEqual(moved(2 ** 32), moved(2));
});

test('a stream longer than 4 GiB tells its length as gzip has it', () => {
  const sum = new GzipSum();
  sum.add({ crc: 0, bytes: 2 ** 32 - 1, shift: shiftOf(2 ** 32 - 1) });
  sum.add({ crc: 0, bytes: 6, shift: shiftOf(6) });
  assert.equal(sum.trailer().readUInt32LE(6), 5);
});

test('stored blocks hold the text as it is, in pieces of at most 65535 bytes', () => {
  const text = Buffer.alloc(65_536 + 10, 'secret ');
  const block = storedBlock(text);
  const first = [0, 0xff, 0xff, 0, 0];
  const second = [0, 11, 0, 0xf4, 0xff];
  assert.deepEqual([...block.subarray(0, 5)], first);
  assert.ok(block.subarray(5, 5 + 65_535).equals(text.subarray(0, 65_535)));
  assert.deepEqual([...block.subarray(65_540, 65_545)], second);
  assert.ok(block.subarray(65_545).equals(text.subarray(65_535)));
});

test('the size of stored blocks tells of the length only, never of the content', () => {
  fc.assert(
    fc.property(fc.oneof(tiny, repeating), (text) => {
      assert.equal(storedBlock(text).length, storedBlock(noise(1, text.length)).length);
    }),
  );
});

test('a text is compressed only where that is smaller', () => {
  const small = Buffer.from('x'.repeat(63));
  assert.ok(compressedBlock(small).equals(storedBlock(small)));
  for (const text of [noise(7, 64), noise(7, 70_000)]) {
    assert.ok(compressedBlock(text).equals(storedBlock(text)));
  }
  assert.ok(compressedBlock(Buffer.alloc(10_000, 'x')).length < 100);
  assert.ok(compressedBlock(Buffer.alloc(200_000, 'x')).length < 2_000);
});
