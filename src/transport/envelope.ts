import type { ChannelEvent } from '../protocol/event.ts';
import { eventText } from '../shared/event-text.ts';
import { isJson } from '../shared/media-type.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const CLOSE = Buffer.from('}');

/**
 * One event as one line of JSON: `{"url","id","event","data"}`.
 *
 * JSON stands in `data` as the upstream wrote it, so that large numbers and the order of keys
 * survive. Anything else is a string there, and `contentType` says what it is; what is no text
 * is in base64, and `encoding` says so.
 */
export function envelope(event: ChannelEvent, url: string): Buffer {
  if (last?.event === event && last.url === url) return last.envelope;
  last = { event, url, envelope: makeEnvelope(event, url) };
  return last.envelope;
}

/** Of the last call: in a fan-out the next transport puts the same one into its own form. */
let last: { event: ChannelEvent; url: string; envelope: Buffer } | undefined;

function makeEnvelope(event: ChannelEvent, url: string): Buffer {
  const head = { url, ...(event.id === undefined ? {} : { id: event.id }), event: event.type };
  const text = eventText(event);
  // RFC 9110 §8.3: what a body without a type may be taken for.
  const type = text ? text.contentType : event.headers['content-type'];
  const contentType = type ?? 'application/octet-stream';
  const json = text && isJson(contentType) ? jsonLine(text.data) : undefined;
  if (json) {
    const start = `${JSON.stringify(head).slice(0, -1)},"data":`;
    return Buffer.concat([Buffer.from(start), json, CLOSE]);
  }
  const data = text
    ? { data: view(text.data).toString('utf8') }
    : { encoding: 'base64', data: view(event.data).toString('base64') };
  return Buffer.from(JSON.stringify({ ...head, contentType, ...data }));
}

/**
 * The same for the browser script: a snapshot is a whole answer, its body an exact text (or base64)
 * whatever its type is, with the status and the headers that clients may see. A patch has its type.
 */
export function answerEnvelope(event: ChannelEvent, url: string): Buffer {
  if (event.type === 'patch') {
    const type = JSON.stringify({ contentType: event.headers['content-type'] }).slice(0, -1);
    return Buffer.concat([Buffer.from(`${type},`), envelope(event, url).subarray(1)]);
  }
  if (event.type !== 'snapshot') return envelope(event, url);
  const { id, type, status = 200, headers } = event;
  const text = eventText(event);
  const contentType = text?.contentType ?? headers['content-type'];
  const body = text
    ? { data: view(text.data).toString('utf8') }
    : { encoding: 'base64', data: view(event.data).toString('base64') };
  const told = { url, id, event: type, status, headers, contentType, ...body };
  return Buffer.from(JSON.stringify(told));
}

/** A heartbeat that a script can see, where it is a message of its own. */
export const BEAT = '{"event":"beat"}';

/** A line that is no envelope: the proxy ends the stream, come back after `retryMs`. */
export function comeBack(retryMs: number): string {
  return JSON.stringify({ event: 'retry', data: { retryMs: Math.round(retryMs) } });
}

/** A Buffer over the same memory. */
export function view(data: Uint8Array): Buffer {
  return Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

/** Whether a text must be split to stand in a line based format. */
export function hasLineBreak(data: Uint8Array): boolean {
  return data.includes(LINE_FEED) || data.includes(CARRIAGE_RETURN);
}

/** A JSON text without line breaks, or `undefined` when it is not JSON. */
function jsonLine(data: Uint8Array): Buffer | undefined {
  const bytes = view(data);
  try {
    JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined; // the upstream calls it JSON, but it is not: it travels as a string
  }
  if (!hasLineBreak(bytes)) return bytes;
  // In valid JSON a raw line break can only stand between tokens, where a space is the same.
  const line = Buffer.from(bytes);
  for (let i = 0; i < line.length; i++) {
    if (line[i] === LINE_FEED || line[i] === CARRIAGE_RETURN) line[i] = SPACE;
  }
  return line;
}
