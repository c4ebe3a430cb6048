import type { Container, Member, Span } from './json-text.ts';
import { rawText, readContainer, stringAt, valueStart } from './json-text.ts';

/**
 * Find the value at a place of a JSON text.
 *
 * SECURITY: `doubtful` where a name of the place stands twice, or in another case: parsers take the
 * first of them or the last, and some do not tell case apart.
 *
 * @param bytes - Valid JSON.
 * @param path - Names and indexes, from the outside inwards.
 */
export function findValue(
  bytes: Uint8Array,
  path: readonly string[],
): Span | 'absent' | 'doubtful' {
  let start = valueStart(bytes);
  let value: Span = { start, end: bytes.length };
  for (const name of path) {
    const container = readContainer(bytes, start);
    if (!container) return 'absent';
    const member = memberNamed(bytes, container, name);
    if (typeof member === 'string') return member;
    value = member.value;
    start = value.start;
  }
  return value;
}

/** The only member of a name, or the element at an index. */
export function memberNamed(
  bytes: Uint8Array,
  container: Container,
  name: string,
): Member | 'absent' | 'doubtful' {
  if (container.kind === 'array') {
    return (/^(?:0|[1-9]\d*)$/.test(name) && container.members[Number(name)]) || 'absent';
  }
  const folded = foldName(name);
  const alike = container.members.filter((member) => foldName(nameOf(bytes, member)) === folded);
  const [only] = alike;
  if (!only) return 'absent';
  return alike.length === 1 && nameOf(bytes, only) === name ? only : 'doubtful';
}

/** The name of a member of an object. */
export function nameOf(bytes: Uint8Array, member: Member): string {
  return (member.name && stringAt(bytes, member.name)) ?? '';
}

/**
 * A name as the laxest parsers compare it: without case, of which the Kelvin sign and the long s are
 * part, and as far as the first NUL.
 */
export function foldName(name: string): string {
  const end = name.indexOf('\0');
  return (end === -1 ? name : name.slice(0, end)).toUpperCase().toLowerCase();
}

/** A string, number or truth value that stands here; `undefined` for everything else. */
export function scalarAt(bytes: Uint8Array, span: Span): string | number | boolean | undefined {
  const raw = rawText(bytes, span);
  if (raw.startsWith('"')) return stringAt(bytes, span);
  if (raw === 'true') return true;
  if (raw === 'false') return false;
  // SECURITY: a number of more digits is another one in a parser of more digits.
  return /^[-\d]/.test(raw) && raw.length <= MAX_DIGITS ? Number(raw) : undefined;
}

const MAX_DIGITS = 16;
