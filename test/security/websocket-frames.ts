import { deflateRawSync } from 'node:zlib';

const FINAL = 0x80;
const MASKED = 0x80;

/** What a frame is to be, where it is not a whole masked text. */
export interface FrameOptions {
  readonly opcode?: number;
  /** RSV1 says that the message is compressed. */
  readonly isCompressed?: boolean;
  readonly isMasked?: boolean;
  readonly isFinal?: boolean;
  /** What the head says, where that is not the truth. */
  readonly claimedLength?: bigint;
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** One frame as a client sends it (RFC 6455 §5.2), and with all that a client should not do. */
export function clientFrame(
  payload: string | Buffer,
  {
    opcode = OPCODE.text,
    isCompressed = false,
    isMasked = true,
    isFinal = true,
    claimedLength,
  }: FrameOptions = {},
): Buffer {
  const bytes = Buffer.from(payload);
  const length = claimedLength ?? BigInt(bytes.length);
  const first = (isFinal ? FINAL : 0) | (isCompressed ? 0x40 : 0) | opcode;
  const head = Buffer.alloc(length < 126n ? 2 : length < 65_536n ? 4 : 10);
  head[0] = first;
  const mask = isMasked ? MASKED : 0;
  if (head.length === 2) {
    head[1] = mask | Number(length);
  } else if (head.length === 4) {
    head[1] = mask | 126;
    head.writeUInt16BE(Number(length), 2);
  } else {
    head[1] = mask | 127;
    head.writeBigUInt64BE(length, 2);
  }
  // A key of zeros leaves the text as it is.
  return Buffer.concat([head, ...(isMasked ? [Buffer.alloc(4)] : []), bytes]);
}

/** The inside of a compressed message: the flush at its end is left out (RFC 7692 §7.2.1). */
export function deflated(text: string | Buffer): Buffer {
  return deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4);
}

/** One frame of the proxy's, unmasked. */
export interface ServerFrame {
  readonly opcode: number;
  readonly isCompressed: boolean;
  readonly payload: Buffer;
}

/** The whole frames behind the head of a 101. @param received - latin1, as raw peers have it. */
export function serverFrames(received: string): ServerFrame[] {
  const bytes = Buffer.from(received.slice(received.indexOf('\r\n\r\n') + 4), 'latin1');
  const frames: ServerFrame[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const [first = 0, short = 0] = bytes.subarray(at, at + 2);
    const extra = short === 127 ? 8 : short === 126 ? 2 : 0;
    const start = at + 2 + extra;
    if (start > bytes.length) break;
    const length =
      extra === 8
        ? Number(bytes.readBigUInt64BE(at + 2))
        : extra === 2
          ? bytes.readUInt16BE(at + 2)
          : short;
    at = start + length;
    if (at > bytes.length) break;
    const payload = bytes.subarray(start, at);
    frames.push({ opcode: first & 0x0f, isCompressed: (first & 0x40) !== 0, payload });
  }
  return frames;
}

/** The close code that has arrived, or `undefined`. */
export function closeCode(received: string): number | undefined {
  const frame = serverFrames(received).find(({ opcode }) => opcode === OPCODE.close);
  return frame && (frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005);
}
