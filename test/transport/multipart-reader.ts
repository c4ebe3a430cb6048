import assert from 'node:assert/strict';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import type { StreamFraming } from '../../src/transport/framing.ts';
import { OPTIONS } from './framings.ts';

/** One part as a reader sees it. */
export interface Part {
  /** By name in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  readonly type: string | undefined;
  readonly body: Buffer;
}

/** The boundary that the answer's head names. */
export function boundaryOf(framing: StreamFraming): string {
  const boundary = /; boundary=([0-9a-f]{32})$/.exec(
    framing.headers(OPTIONS)['content-type'] ?? '',
  );
  assert.ok(boundary?.[1]);
  return boundary[1];
}

/** What an image element has been given to show: it ends a part when it has seen the next head. */
export function readAsImage(bytes: Buffer, boundary: string): Part[] {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  // The first delimiter needs no line end before it.
  const text = Buffer.concat([Buffer.from('\r\n'), bytes]);
  const shown: Part[] = [];
  let waiting: Part | undefined;
  let at = text.indexOf(delimiter);
  assert.equal(at, 0, 'a stream begins with a delimiter');
  for (;;) {
    const start: number = at + delimiter.length;
    const isLast = text.subarray(start, start + 2).equals(Buffer.from('--'));
    const head = isLast ? undefined : readHead(text, start + 2);
    if ((isLast || head) && waiting) shown.push(waiting);
    if (!head) return shown;
    assert.equal(text.subarray(start, start + 2).toString(), '\r\n', 'a delimiter is a whole line');
    // The line end before a delimiter belongs to it.
    at = text.indexOf(delimiter, head.end);
    if (at === -1) return shown;
    waiting = { ...head.part, body: text.subarray(head.end, at) };
  }
}

/** What a program reads that goes by the lengths; the bytes must be whole parts. */
export function readByLength(bytes: Buffer, boundary: string): Part[] {
  const delimiter = Buffer.from(`--${boundary}\r\n`);
  const parts: Part[] = [];
  let at = 0;
  for (;;) {
    assert.ok(bytes.subarray(at, at + delimiter.length).equals(delimiter), `delimiter at ${at}`);
    at += delimiter.length;
    if (at === bytes.length) return parts;
    const head = readHead(bytes, at);
    assert.ok(head, 'a head is whole');
    const length = Number(head.part.fields.get('content-length'));
    const body = bytes.subarray(head.end, head.end + length);
    assert.equal(body.length, length);
    assert.equal(bytes.subarray(head.end + length, head.end + length + 2).toString(), '\r\n');
    parts.push({ ...head.part, body });
    at = head.end + length + 2;
  }
}

/** The bytes of these events on one connection, piece by piece: first what comes before them. */
export function* stream(framing: StreamFraming, events: Iterable<ChannelEvent>) {
  let current = framing;
  yield { bytes: Buffer.from(framing.prelude(OPTIONS)), framing: current };
  for (const event of events) {
    const bytes = current.frame(event, '/x') ?? Buffer.alloc(0);
    current = current.after?.(event) ?? current;
    yield { bytes, framing: current };
  }
}

function readHead(bytes: Buffer, start: number) {
  const fields = new Map<string, string>();
  for (let at = start; ; ) {
    const end = bytes.indexOf('\r\n', at);
    if (end === -1) return undefined;
    const line = bytes.subarray(at, end).toString('latin1');
    at = end + 2;
    if (line === '') return { part: { fields, type: fields.get('content-type') }, end: at };
    const colon = line.indexOf(':');
    assert.ok(colon > 0, `a field: ${JSON.stringify(line)}`);
    fields.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
}
