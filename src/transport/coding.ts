import type { ChannelEvent } from '../protocol/event.ts';
import type { Framing } from './framing.ts';
import type { Piece } from './gzip.ts';
import { compressedBlock, deflated, pieceOf, storedBlock } from './gzip.ts';

/** Bytes that are ready for any socket. */
export interface Frame {
  /** Empty when there is nothing to write. */
  readonly bytes: Buffer;
  /** Length of the text before it was encoded. */
  readonly textBytes: number;
  /** Of a gzip stream only. */
  readonly piece?: Piece;
}

/** SECURITY: clients may choose names for a URL: those of a few only are kept. */
const MAX_FRAMES = 16;

const NOTHING: Frame = { bytes: Buffer.alloc(0), textBytes: 0 };

/**
 * How framed events travel inside an answer.
 *
 * A frame depends on the event, the framing and the coding only, so it is built once and every
 * subscriber's socket gets the same Buffer. It leaves with its event.
 */
export class Coding {
  readonly #encode: (text: Buffer, isBinary: boolean) => Frame;
  readonly #frames = new WeakMap<ChannelEvent, Made[]>();
  /** Of the last call: in a fan-out the next one asks for the same. */
  #last: (Made & { readonly event: ChannelEvent }) | undefined;

  constructor(encode: (text: Buffer, isBinary: boolean) => Frame) {
    this.#encode = encode;
  }

  /** The ready-made bytes of an event that is told under this URL. */
  frameOf(framer: Framer, event: ChannelEvent, url: string): Frame {
    const last = this.#last;
    if (last?.event === event && last.how === framer.frame && last.url === url) return last.frame;
    const made = this.#find(framer, event, url);
    this.#last = { ...made, event };
    return made.frame;
  }

  /** Bytes that belong to no event. An empty text is nothing to write. */
  encode(text: string | Buffer): Frame {
    if (text.length === 0) return NOTHING;
    return this.#encode(typeof text === 'string' ? Buffer.from(text) : text, false);
  }

  #find(framer: Framer, event: ChannelEvent, url: string): Made {
    const how = framer.frame;
    const known = this.#frames.get(event);
    const found = known?.find((made) => made.how === how && made.url === url);
    if (found) return found;
    const text = textOf(framer, event, url);
    const isBinary = framer.isBinary?.(event) ?? false;
    const made = { how, url, frame: text === undefined ? NOTHING : this.#encode(text, isBinary) };
    if (!known) this.#frames.set(event, [made]);
    else if (known.length < MAX_FRAMES) known.push(made);
    return made;
  }
}

/** A frame, and what it was made of besides the event. */
interface Made {
  readonly how: Framer['frame'];
  readonly url: string;
  readonly frame: Frame;
}

/** Texts of the last event by the way of writing them: in a fan-out the codings share them. */
let last:
  | { event: ChannelEvent; url: string; texts: Map<Framer['frame'], Buffer | undefined> }
  | undefined;

function textOf({ frame }: Framer, event: ChannelEvent, url: string): Buffer | undefined {
  if (last?.event !== event || last.url !== url) last = { event, url, texts: new Map() };
  if (!last.texts.has(frame)) last.texts.set(frame, frame(event, url));
  return last.texts.get(frame);
}

/** What a coding needs of a framing. */
export interface Framer extends Pick<Framing, 'frame'> {
  /** Whether this event's frame is not text, for transports that tell the two apart. */
  isBinary?(event: ChannelEvent): boolean;
}

/** Until the connection ends, as HTTP/1.0 has it. */
export const raw = new Coding((text) => ({ bytes: text, textBytes: text.length }));

/** As HTTP/1.1 chunks. */
export const chunked = new Coding((text) => ({ bytes: chunk(text), textBytes: text.length }));

/** Chunks of a gzip stream. */
export const chunkedGzip = new Coding((text) => gzipFrame(text, compressedBlock(text)));

/** Chunks of a gzip stream whose text is not compressed. */
export const chunkedStored = new Coding((text) => gzipFrame(text, storedBlock(text)));

/** WebSocket messages. */
export const message = new Coding((text, isBinary) => ({
  bytes: webSocketFrame(isBinary ? BINARY : TEXT, text),
  textBytes: text.length,
}));

/** WebSocket messages, compressed without context (RFC 7692 §7.2.3) where that is smaller. */
export const deflatedMessage = new Coding((text, isBinary) => {
  const opcode = isBinary ? BINARY : TEXT;
  // The flush ends with four bytes that every reader adds by itself.
  const small = deflated(text).subarray(0, -4);
  const bytes =
    small.length < text.length
      ? webSocketFrame(opcode | COMPRESSED, small)
      : webSocketFrame(opcode, text);
  return { bytes, textBytes: text.length };
});

/** RFC 9112 §7.1, the size in bare hexadecimal: Safari refuses a padded one. */
export function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF]);
}

function gzipFrame(text: Buffer, block: Buffer): Frame {
  return { bytes: chunk(block), textBytes: text.length, piece: pieceOf(text) };
}

const CRLF = Buffer.from('\r\n');
const TEXT = 0x01;
const BINARY = 0x02;
const COMPRESSED = 0x40;
const FINAL = 0x80;

/** One unmasked, unfragmented frame (RFC 6455 §5.2). */
function webSocketFrame(bits: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = FINAL | bits;
  if (head.length === 2) {
    head[1] = length;
  } else if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}
