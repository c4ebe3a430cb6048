import { matchesGlob } from '../shared/glob.ts';
import { quoteNumbers, unquoted } from './exact-numbers.ts';
import type { Compare, Path, Paths } from './part-paths.ts';
import { MAX_LEVELS, pathsBelow, TooDeep, unlessTooDeep } from './part-paths.ts';
import { quoted } from './quoted.ts';

/**
 * What counts of a JSON document, as a text that is the same for two documents exactly when that
 * is; `undefined` for a text that is no JSON, or is nested deeper than `MAX_LEVELS`.
 *
 * With `value`, neither whitespace, escapes nor the order of members count, and numbers are equal
 * when they are the same number, however large and however written (`1`, `1.0`, `10e-1`). With
 * `bytes`, the order of members counts as JavaScript sees it (names that are whole numbers come
 * first, in their order), and numbers are compared as they are written. Of members of the same
 * name the last one counts, as in browsers.
 *
 * A member or item that is ignored is taken out: whether it is there at all is no change either.
 * What is selected is compared together with the way to it.
 */
export function canonicalJson(text: string, paths: Paths, compare: Compare): string | undefined {
  const value = parsed(quoteNumbers(text, compare === 'value' ? 'inexact' : 'all'));
  if (value === undefined) return undefined;
  const namesOf = compare === 'value' ? sortedNames : Object.keys;
  const { select, ignore } = paths;
  return unlessTooDeep(() =>
    select.length === 0
      ? written(value, ignore, 0, namesOf)
      : select.map((path) => selected(value, path, ignore, 0, namesOf)).join('\n'),
  );
}

/** What a text says, or `undefined` for one that only calls itself JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type NamesOf = (value: object) => string[];

function sortedNames(value: object): string[] {
  const names = Object.keys(value);
  return names.length > 1 ? names.sort() : names;
}

/** Every member or item that a path leads to, each with the way to it. */
function selected(
  value: unknown,
  path: Path,
  ignore: readonly Path[],
  depth: number,
  namesOf: NamesOf,
): string {
  const segment = path[depth];
  if (segment === undefined) return `=${written(value, ignore, depth, namesOf)}`;
  if (typeof value !== 'object' || value === null) return '';
  let all = '';
  for (const name of namesOf(value)) {
    if (!matchesGlob(segment, name)) continue;
    const ignored = pathsBelow(ignore, depth, name);
    if (ignored.end.length > 0) continue;
    const found = selected(memberOf(value, name), path, ignored.leadOn, depth + 1, namesOf);
    if (found !== '') all += `${quoted(name)}(${found})`;
  }
  return all;
}

/** A value less what is ignored in it. */
function written(value: unknown, ignore: readonly Path[], depth: number, namesOf: NamesOf): string {
  if (typeof value === 'string') return writtenString(value);
  if (typeof value !== 'object' || value === null) return `${value};`;
  if (depth === MAX_LEVELS) throw new TooDeep();
  if (Array.isArray(value)) return writtenArray(value, ignore, depth, namesOf);
  let members = '{';
  for (const name of namesOf(value)) {
    const ignored = pathsBelow(ignore, depth, name);
    if (ignored.end.length > 0) continue;
    members += quoted(name) + written(memberOf(value, name), ignored.leadOn, depth + 1, namesOf);
  }
  return `${members}}`;
}

function writtenArray(
  array: readonly unknown[],
  ignore: readonly Path[],
  depth: number,
  namesOf: NamesOf,
): string {
  let items = '[';
  let index = 0;
  for (const item of array) {
    const ignored = ignore.length === 0 ? undefined : pathsBelow(ignore, depth, String(index));
    if (!ignored) items += written(item, ignore, depth + 1, namesOf);
    else if (ignored.end.length === 0) items += written(item, ignored.leadOn, depth + 1, namesOf);
    index += 1;
  }
  return `${items}]`;
}

function writtenString(value: string): string {
  const { kind, text } = unquoted(value);
  return kind === 'number' ? `#${text};` : quoted(text);
}

/**
 * SECURITY: only ever asked for own names. `JSON.parse` makes a member `__proto__` an own one, and
 * nothing here assigns to members.
 */
function memberOf(value: object, name: string): unknown {
  return (value as Record<string, unknown>)[name];
}
