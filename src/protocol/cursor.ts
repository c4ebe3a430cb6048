/**
 * The grammar of event ids. It fits a URL's query unescaped, an ETag, a JavaScript string and the
 * `Last-Event-ID` header without making a request "unsafe" to CORS (no colon, at most 128 bytes).
 */
const CURSOR = /^[A-Za-z0-9_.~-]{1,128}$/;

/** Give back a cursor that could be one of ours, or `undefined`: a wrong one is the same as none. */
export function parseCursor(text: string | undefined): string | undefined {
  return text !== undefined && CURSOR.test(text) ? text : undefined;
}

/** Make an event id. `epoch` is unique to one lease of one channel, `seq` counts from 1 in it. */
export function eventId(epoch: string, seq: number): string {
  return `${epoch}-${seq}`;
}
