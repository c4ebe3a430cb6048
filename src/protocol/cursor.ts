/**
 * The grammar of event ids. It fits a URL's query unescaped, an ETag, a JavaScript string and the
 * `Last-Event-ID` header without making a request "unsafe" to CORS (no colon, at most 128 bytes).
 */
const CURSOR = /^[A-Za-z0-9_.~-]{1,128}$/;

/**
 * Ends the id of a `stale` event. A client that repeats that id is known to have been told, so that
 * a long poll is not answered with the same word again and again.
 */
const STALE_MARK = '~stale';

/** Give back a cursor that could be one of ours, or `undefined`: a wrong one is the same as none. */
export function parseCursor(text: string | undefined): string | undefined {
  return text !== undefined && CURSOR.test(text) ? text : undefined;
}

/** Make an event id. `epoch` is unique to one lease of one channel, `seq` counts from 1 in it. */
export function eventId(epoch: string, seq: number): string {
  return `${epoch}-${seq}`;
}

/** The id of a `stale` event. @param state - The id of the state that is known, if any. */
export function staleId(state: string | undefined): string {
  return `${state ?? ''}${STALE_MARK}`;
}

/** What the client behind a cursor knows: the id of its state, if any, and whether it is stale. */
export function readCursor(cursor: string): { readonly id: string; readonly isStale: boolean } {
  const isStale = cursor.endsWith(STALE_MARK);
  return { id: isStale ? cursor.slice(0, -STALE_MARK.length) : cursor, isStale };
}
