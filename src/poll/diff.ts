import { isUtf8 } from 'node:buffer';
import type { Operation, Pointer } from 'rfc6902';
import { createPatch } from 'rfc6902';

/** The formats of patches: RFC 6902 and RFC 7386. */
export type PatchFormat = 'json' | 'merge';

/** Larger and deeper documents are not compared: the time that it takes is taken from everybody. */
const MAX_BYTES = 128 * 1_024;
const MAX_LEVELS = 32;

/**
 * The difference between two JSON documents as the text of a patch, where it is smaller than the
 * second of them; else `undefined`, and so is everything that a patch cannot say exactly.
 */
export function patchText(format: PatchFormat, before: Uint8Array, after: Uint8Array) {
  if (before.length > MAX_BYTES || after.length > MAX_BYTES) return undefined;
  const [from, to] = [parseExact(before), parseExact(after)];
  if (from === undefined || to === undefined) return undefined;
  const patch =
    format === 'json' ? jsonPatch(from.value, to.value) : mergePatch(from.value, to.value);
  if (patch === undefined) return undefined;
  const text = JSON.stringify(patch);
  return Buffer.byteLength(text) < after.length ? text : undefined;
}

/**
 * A document, unless reading it changes it: numbers that a double cannot hold, and members that
 * are not safe to assign.
 *
 * SECURITY: a patch at `/__proto__/…` would pollute the prototypes of clients that apply it naively.
 */
function parseExact(document: Uint8Array): { readonly value: unknown } | undefined {
  if (!isUtf8(document)) return undefined;
  const text = Buffer.from(document).toString('utf8');
  if (UNSAFE.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // it only calls itself JSON
  }
  // After parsing: where a string does not end, finding strings takes quadratic time.
  if (DOUBTFUL.test(text)) {
    const numbers = text.replace(STRINGS, '""').match(NUMBERS) ?? [];
    if (!numbers.every(isExact)) return undefined;
  }
  return isDeeper(value, MAX_LEVELS) ? undefined : { value };
}

/** Has a value more levels of arrays and objects than these? */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}

/** Also as an escaped name: nobody else escapes letters. */
const UNSAFE = /__proto__|constructor|prototype|\\u00[5-7]/i;
/** There may be a number of so many digits, or with such an exponent, that it is not what it seems. */
const DOUBTFUL = /\d[\d.]{15}|\d[eE][+-]?\d{2}|-0(?!\.\d*[1-9])/;
const STRINGS = /"(?:[^"\\]|\\.)*"/g;
const NUMBERS = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

function isExact(number: string): boolean {
  return !DOUBTFUL.test(number) || String(Number(number)) === number;
}

/**
 * RFC 6902. The library finds the shortest way between two arrays, in time and space of the product
 * of their lengths; ours is linear, and finds what polled lists mostly do: rows that change in
 * place, and rows that come or go at one point.
 */
function jsonPatch(from: unknown, to: unknown): Operation[] {
  return createPatch(from, to, (a: unknown, b: unknown, pointer: Pointer) =>
    Array.isArray(a) && Array.isArray(b) ? arrayOperations(a, b, pointer) : undefined,
  );
}

function arrayOperations(a: unknown[], b: unknown[], pointer: Pointer): Operation[] {
  const texts = {
    a: a.map((item) => JSON.stringify(item)),
    b: b.map((item) => JSON.stringify(item)),
  };
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && texts.a[start] === texts.b[start]) start += 1;
  let end = 0;
  while (end < shorter - start && texts.a.at(-1 - end) === texts.b.at(-1 - end)) end += 1;
  const [leftA, leftB] = [a.length - start - end, b.length - start - end];
  const both = Math.min(leftA, leftB);
  const operations: Operation[] = [];
  for (let i = start; i < start + both; i++) {
    for (const operation of jsonPatch(a[i], b[i])) {
      operations.push(moved(operation, pointer.add(String(i))));
    }
  }
  const path = (index: number) => pointer.add(String(index)).toString();
  // From the end, so that the places of those before it stay.
  for (let i = start + leftA - 1; i >= start + both; i--) {
    operations.push({ op: 'remove', path: path(i) });
  }
  for (let i = start + both; i < start + leftB; i++) {
    operations.push({ op: 'add', path: path(i), value: b[i] });
  }
  return operations;
}

/** The same operation below a pointer. */
function moved<O extends Operation>(operation: O, base: Pointer): O {
  return { ...operation, path: `${base.toString()}${operation.path}` };
}

/** RFC 7386; `undefined` when the change cannot be said: there `null` means removal. */
function mergePatch(from: unknown, to: unknown): unknown {
  if (!isObject(from) || !isObject(to)) return hasNull(to) ? undefined : to;
  const patch: Record<string, unknown> = {};
  for (const name of Object.keys(from)) if (!Object.hasOwn(to, name)) patch[name] = null;
  for (const [name, value] of Object.entries(to)) {
    const before = Object.hasOwn(from, name) ? from[name] : undefined;
    // Objects are compared on the way down only: once at every level would be quadratic.
    const areObjects = isObject(before) && isObject(value);
    if (!areObjects && JSON.stringify(before) === JSON.stringify(value)) continue;
    const member = mergePatch(before, value);
    if (member === undefined) return undefined;
    if (areObjects && isEmpty(member)) continue;
    patch[name] = member;
  }
  return patch;
}

function isEmpty(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}

/** Arrays are taken over as they are, `null` in them too. */
function hasNull(value: unknown): boolean {
  return value === null || (isObject(value) && Object.values(value).some(hasNull));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
