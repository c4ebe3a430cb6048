/*
 * JSON as it stands in a text: where its members are, without reading their values. What is changed
 * by these places keeps every other byte, numbers that no double holds too.
 */

/** A part of a text, as offsets of its bytes. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A member of an object, or an element of an array. */
export interface Member extends Span {
  /** Its name with the quotes; `undefined` for an element. */
  readonly name: Span | undefined;
  readonly value: Span;
}

/** An object or an array. `start` to `end` of a member is all between the commas around it. */
export interface Container extends Span {
  readonly kind: 'object' | 'array';
  readonly members: readonly Member[];
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Where the one value of a text begins. */
export function valueStart(bytes: Uint8Array): number {
  return skipSpace(bytes, 0);
}

/**
 * The object or array that begins here, or `undefined` when none does or it is broken. Of the
 * values inside it only strings and brackets are looked at.
 */
export function readContainer(bytes: Uint8Array, start: number): Container | undefined {
  const kind = containerKind(bytes[start]);
  if (!kind) return undefined;
  const close = kind === 'object' ? CLOSE_OBJECT : CLOSE_ARRAY;
  const members: Member[] = [];
  let at = skipSpace(bytes, start + 1);
  if (bytes[at] === close) return { kind, members, start, end: at + 1 };
  for (let from = start + 1; ; from = at + 1) {
    const member = readMember(bytes, from, kind);
    if (!member) return undefined;
    members.push(member);
    at = member.end;
    if (bytes[at] === close) return { kind, members, start, end: at + 1 };
    if (bytes[at] !== COMMA) return undefined;
  }
}

/** Is there nothing but white space from here on? */
export function isEnd(bytes: Uint8Array, at: number): boolean {
  return skipSpace(bytes, at) === bytes.length;
}

/** A part of a text, as it stands there. */
export function rawText(bytes: Uint8Array, { start, end }: Span): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}

/** The string that stands here with its quotes, or `undefined` when it is none. */
export function stringAt(bytes: Uint8Array, span: Span): string | undefined {
  const raw = rawText(bytes, span);
  if (!raw.includes('\\')) return raw.slice(1, -1);
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined; // a broken escape
  }
}

function readMember(bytes: Uint8Array, start: number, kind: Container['kind']): Member | undefined {
  let at = skipSpace(bytes, start);
  let name: Span | undefined;
  if (kind === 'object') {
    const end = bytes[at] === QUOTE ? skipString(bytes, at) : -1;
    if (end === -1) return undefined;
    name = { start: at, end };
    at = skipSpace(bytes, end);
    if (bytes[at] !== COLON) return undefined;
    at = skipSpace(bytes, at + 1);
  }
  const end = skipValue(bytes, at);
  if (end === -1) return undefined;
  return { name, value: { start: at, end }, start, end: skipSpace(bytes, end) };
}

function containerKind(byte: number | undefined): Container['kind'] | undefined {
  if (byte === OPEN_OBJECT) return 'object';
  return byte === OPEN_ARRAY ? 'array' : undefined;
}

function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === LINE_FEED || byte === RETURN || byte === TAB;
}

/** The end of the value that begins here, or -1. */
function skipValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return skipString(bytes, start);
  if (containerKind(first)) return skipContainer(bytes, start);
  let at = start;
  while (at < bytes.length && !isSpace(bytes[at]) && !isPunctuation(bytes[at])) at += 1;
  return at === start ? -1 : at;
}

function isPunctuation(byte: number | undefined): boolean {
  return byte === COMMA || byte === COLON || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT;
}

/** Counts brackets instead of calling itself: the depth is up to whoever wrote the text. */
function skipContainer(bytes: Uint8Array, start: number): number {
  let depth = 0;
  for (let at = start; at < bytes.length; at++) {
    switch (bytes[at]) {
      case QUOTE:
        at = skipString(bytes, at) - 1;
        if (at < 0) return -1;
        break;
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        depth += 1;
        break;
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        depth -= 1;
        if (depth === 0) return at + 1;
        break;
    }
  }
  return -1;
}

/** The end of the string whose opening quote stands here, or -1. */
function skipString(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at += 1;
  }
  return -1;
}
