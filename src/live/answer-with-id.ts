import type { Span } from './json-text.ts';
import { isEnd, rawText, readContainer, stringAt, valueStart } from './json-text.ts';

/** Where the ids of a state stand: one state is given to many callers. */
const known = new WeakMap<Uint8Array, readonly Span[]>();

/**
 * The answer to a JSON-RPC call with the caller's own id in place of the poll's, every other byte
 * as it is. Unchanged when it is no JSON object with an id. An id of null stays: with it a server
 * says that it could not read the call.
 *
 * @param data - Not changed by anybody from now on.
 * @param id - JSON text, as `shapeBody` gave it.
 */
export function answerWithId(data: Uint8Array, id: string): Uint8Array {
  let spans = known.get(data);
  if (!spans) {
    spans = idSpans(data);
    known.set(data, spans);
  }
  if (spans.length === 0) return data;
  const idBytes = Buffer.from(id);
  const pieces: Uint8Array[] = [];
  let from = 0;
  for (const { start, end } of spans) {
    pieces.push(data.subarray(from, start), idBytes);
    from = end;
  }
  return Buffer.concat([...pieces, data.subarray(from)]);
}

/** More than one where a name stands twice: whichever the caller reads, it is its own. */
function idSpans(data: Uint8Array): Span[] {
  const root = readContainer(data, valueStart(data));
  if (root?.kind !== 'object' || !isEnd(data, root.end)) return [];
  return root.members
    .filter(({ name, value }) => isId(data, name) && isCalled(rawText(data, value)))
    .map(({ value }) => value);
}

/** With every letter as an escape it is longer than this by far. */
const LONGEST_ID = '"\\u0069\\u0064"'.length;

function isId(data: Uint8Array, name: Span | undefined): boolean {
  return name !== undefined && name.end - name.start <= LONGEST_ID && stringAt(data, name) === 'id';
}

function isCalled(raw: string): boolean {
  return /^["\d-]/.test(raw);
}
