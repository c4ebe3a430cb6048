import { constants, crc32, deflateRawSync } from 'node:zlib';
import type { Shift } from './crc32.ts';
import { combine, shiftOf } from './crc32.ts';

/*
 * One gzip stream (RFC 1952) out of pieces that many connections share: a header, then deflate
 * blocks (RFC 1951) that begin and end at a byte and refer to nothing before them, so each piece is
 * compressed once for everybody. Never a member of its own for each piece: browsers stop at the end
 * of the first one and drop the rest without an error.
 */

/** No name, no time, unknown system. */
export const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** Below this a block would be larger than the text. */
const MIN_COMPRESSED_BYTES = 64;
/** Above this the time counts for more than the size: nothing else happens meanwhile. */
const LARGE_BYTES = 64 * 1_024;
/** RFC 1951 §3.2.4. */
const MAX_STORED_BYTES = 0xffff;

/** What a piece adds to the sum at the end of a gzip stream. */
export interface Piece {
  readonly crc: number;
  readonly bytes: number;
  /** See `shiftOf`. */
  readonly shift: Shift;
}

/** The sum of all pieces of one connection. */
export class GzipSum {
  #crc = 0;
  #bytes = 0;

  add(piece: Piece): void {
    this.#crc = combine(this.#crc, piece.crc, piece.shift);
    this.#bytes += piece.bytes;
  }

  /** The last block, which is empty, and the trailer: strict readers check it. */
  trailer(): Buffer {
    const trailer = Buffer.alloc(10);
    trailer.writeUInt8(0x03, 0);
    trailer.writeUInt32LE(this.#crc, 2);
    trailer.writeUInt32LE(this.#bytes % 2 ** 32, 6);
    return trailer;
  }
}

/** What a piece of this text adds to the sum. */
export function pieceOf(text: Buffer): Piece {
  return { crc: crc32(text), bytes: text.length, shift: shiftOf(text.length) };
}

/** A text as deflate blocks, compressed where that makes it smaller. */
export function compressedBlock(text: Buffer): Buffer {
  const stored = storedBlock(text);
  if (text.length < MIN_COMPRESSED_BYTES) return stored;
  const compressed = deflated(text);
  return compressed.length < stored.length ? compressed : stored;
}

/** A text as deflate blocks that hold it as it is. */
export function storedBlock(text: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let start = 0; start < text.length; start += MAX_STORED_BYTES) {
    const part = text.subarray(start, start + MAX_STORED_BYTES);
    const head = Buffer.alloc(5);
    head.writeUInt16LE(part.length, 1);
    head.writeUInt16LE(part.length ^ 0xffff, 3);
    parts.push(head, part);
  }
  return Buffer.concat(parts);
}

/** A text as deflate blocks that end at a byte and are not the last ones. */
export function deflated(text: Buffer): Buffer {
  const level =
    text.length > LARGE_BYTES ? constants.Z_BEST_SPEED : constants.Z_DEFAULT_COMPRESSION;
  // Without the flush a decoder would hold back the end of the text.
  return deflateRawSync(text, { level, finishFlush: constants.Z_SYNC_FLUSH });
}
