import type { ChannelEvent } from '../protocol/event.ts';
import type { Framing } from './framing.ts';

/** How bytes travel inside the answer: as an HTTP/1.1 chunk, or as they are until the end. */
export type Coding = 'chunked' | 'raw';

/*
 * A frame depends on the event, the framing and the coding only, so it is built once and every
 * subscriber's socket gets the same Buffer. It leaves with its event.
 */
const caches: Readonly<Record<Coding, WeakMap<ChannelEvent, Map<Framing, Buffer>>>> = {
  chunked: new WeakMap(),
  raw: new WeakMap(),
};

/** The ready-made bytes of an event of the endpoint with this canonical URL. */
export function frameOf(
  framing: Framing,
  coding: Coding,
  event: ChannelEvent,
  url: string,
): Buffer {
  const cache = caches[coding];
  let frames = cache.get(event);
  if (!frames) {
    frames = new Map();
    cache.set(event, frames);
  }
  let frame = frames.get(framing);
  if (!frame) {
    frame = encode(coding, framing.frame(event, url));
    frames.set(framing, frame);
  }
  return frame;
}

/** Bytes as they go to the socket. */
export function encode(coding: Coding, payload: string | Buffer): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  if (coding === 'raw' || bytes.length === 0) return bytes;
  // RFC 9112 §7.1, bare hexadecimal: Safari refuses a padded size.
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, CRLF]);
}

const CRLF = Buffer.from('\r\n');
