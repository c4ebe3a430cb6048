import type { ChannelEvent } from '../protocol/event.ts';
import { inUtf8 } from './charset.ts';

/** Text in UTF-8, and what it is. */
export interface EventText {
  readonly data: Uint8Array;
  /** As the upstream wrote it, where its bytes were UTF-8. */
  readonly contentType: string | undefined;
}

/** Of events that are in another charset: one is given to many subscribers. */
const converted = new WeakMap<ChannelEvent, EventText | 'binary'>();

/** An event as UTF-8 text, whatever charset it came in; `undefined` when it is no text. */
export function eventText(event: ChannelEvent): EventText | undefined {
  const contentType = event.headers['content-type'];
  if (event.encoding === 'utf8') return { data: event.data, contentType };
  let text = converted.get(event);
  if (text === undefined) {
    text = convert(event.data, contentType ?? '') ?? 'binary';
    converted.set(event, text);
  }
  return text === 'binary' ? undefined : text;
}

function convert(data: Uint8Array, contentType: string): EventText | undefined {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const text = inUtf8(bytes, contentType);
  return text && { data: text.body, contentType: text.contentType };
}
