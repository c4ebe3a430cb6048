import type { Node } from 'jsonc-parser';
import { findNodeAtLocation } from 'jsonc-parser';
import type { z } from 'zod';

/** Something wrong in a config, where it stands, and what would be right. */
export interface Problem {
  /** File name, or the flag that the value came from. */
  readonly file: string;
  /** Counted from 1; 0 when there is no position, as for a flag. */
  readonly line: number;
  /** Counted from 1, in UTF-16 units; 0 when there is no position. */
  readonly column: number;
  readonly message: string;
}

/** A config text, parsed: what positions and known keys are looked up in. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly root: Node | undefined;
}

/** One line for a person or an editor: `file:line:col message`. */
export function formatProblem(problem: Problem): string {
  const position = problem.line > 0 ? `:${problem.line}:${problem.column}` : ':';
  return `${problem.file}${position} ${problem.message}`;
}

/** Line and column of an offset in a text, both counted from 1. */
export function problemAt(source: Source, offset: number, message: string): Problem {
  if (source.text === '') return { file: source.file, line: 0, column: 0, message };
  const before = source.text.slice(0, offset);
  const line = before.split('\n').length;
  return { file: source.file, line, column: offset - before.lastIndexOf('\n'), message };
}

/**
 * Turn what the schema found into problems with positions, all at once.
 *
 * @param value - The value as it was written, for the "current value" of messages.
 *   SECURITY: before variables and files are put in, so that no secret gets into a message.
 * @param jsonSchema - The schema as JSON Schema, for the keys that would have been right.
 */
export function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  source: Source,
  value: unknown,
  jsonSchema: JsonSchema,
): Problem[] {
  return issues
    .flatMap((issue) => flatten(issue, value))
    .flatMap((found) => describe(found, jsonSchema))
    .map(({ path, message, at }) => {
      // Without a text there is no position: the path has to say where.
      const where = source.root ? '' : `${path.slice(0, -1).join(' ')} `.trimStart();
      return problemAt(source, offsetOf(source, path, at), `${where}${message}`);
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

/** The parts of a JSON Schema that lead from a path to the keys known there. */
export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

type Path = readonly PropertyKey[];
interface Found {
  readonly issue: z.core.$ZodIssue;
  readonly path: Path;
  readonly value: unknown;
  readonly at: 'key' | 'value';
}
interface Described {
  readonly path: Path;
  readonly message: string;
  readonly at: 'key' | 'value';
}

/** Look into unions: the branch whose type fits the value is the one that was meant. */
function flatten(
  issue: z.core.$ZodIssue,
  root: unknown,
  above: Path = [],
  at: Found['at'] = 'value',
): Found[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_key') {
    return issue.issues.flatMap((inner) => flatten(inner, root, path, 'key'));
  }
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((branch) => !isOfAnotherType(branch));
    if (meant) return meant.flatMap((inner) => flatten(inner, root, path, at));
  }
  // A shorthand stands where the object would be: "site": "…" for "site": {"url": "…"}.
  const around = path.slice(0, -1);
  const isShorthand = path.length > 0 && typeof valueAt(root, around) === 'string';
  const shown = isShorthand ? around : path;
  return [{ issue, path: shown, value: valueAt(root, shown), at }];
}

/** Does a branch of a union want another type of value, and not just another value? */
function isOfAnotherType(branch: readonly z.core.$ZodIssue[]): boolean {
  return branch.some(
    (issue) =>
      issue.path.length === 0 &&
      (issue.code === 'invalid_type' ||
        (issue.code === 'invalid_union' && issue.errors.every(isOfAnotherType))),
  );
}

function describe(found: Found, jsonSchema: JsonSchema): Described[] {
  const { issue, path, value, at } = found;
  const subject = typeof path.at(-1) === 'string' ? `"${String(path.at(-1))}" ` : '';
  const say = (sentence: string): Described[] => {
    const current = at === 'key' || value === undefined ? '' : `: current value is ${json(value)}`;
    return [{ path, message: `${subject}${sentence}${current}`, at }];
  };
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const message = `unknown key "${key}"${suggestion(key, knownKeys(jsonSchema, path))}`;
        return { path: [...path, key], message, at: 'key' };
      });
    case 'invalid_type':
      return say(value === undefined ? 'is missing' : `must be ${kind(issue.expected, value)}`);
    case 'invalid_union':
      return say(value === undefined ? 'is missing' : 'has the wrong type');
    case 'invalid_value': {
      const wanted = issue.values.map(json).join(', ');
      const nearest =
        typeof value === 'string' ? suggestion(value, issue.values.map(String), '') : '';
      return say(`must be one of ${wanted}${nearest}`);
    }
    case 'too_small':
      return say(`must be at least ${issue.minimum}${sized(issue.origin)}`);
    case 'too_big':
      return say(`must be at most ${issue.maximum}${sized(issue.origin)}`);
    default:
      return say(issue.message);
  }
}

function json(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

/** Say which type is wanted; a bare number where a text is wanted mostly lacks its unit. */
function kind(expected: string, value: unknown): string {
  if (expected === 'string' && typeof value === 'number') {
    return 'a string; durations and sizes carry their unit, as in "5s" or "64KiB"';
  }
  if (expected === 'int') return 'a whole number';
  return article(expected);
}

function article(expected: string): string {
  return /^[aeio]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}

function sized(origin: string): string {
  return origin === 'array' ? ' in number' : origin === 'string' ? ' characters' : '';
}

function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/** The offset of the value at a path, of its key, or of the nearest thing around it. */
function offsetOf(source: Source, path: Path, at: 'key' | 'value'): number {
  if (!source.root) return 0;
  for (let length = path.length; length >= 0; length--) {
    const node = findNodeAtLocation(source.root, path.slice(0, length) as (string | number)[]);
    if (!node) continue;
    const isExact = length === path.length;
    return at === 'key' && isExact && node.parent?.type === 'property'
      ? node.parent.offset
      : node.offset;
  }
  return 0;
}

function knownKeys(schema: JsonSchema, path: Path): string[] {
  let level: JsonSchema[] = [schema];
  for (const key of path) level = level.flatMap((inner) => step(inner, key));
  return level.flatMap(branches).flatMap((inner) => Object.keys(inner.properties ?? {}));
}

function branches(schema: JsonSchema): JsonSchema[] {
  return [schema, ...(schema.anyOf ?? []).flatMap(branches)];
}

function step(schema: JsonSchema, key: PropertyKey): JsonSchema[] {
  return branches(schema).flatMap((inner) => {
    const named = inner.properties?.[String(key)];
    if (named) return [named];
    if (typeof key === 'number' && inner.items) return [inner.items];
    return typeof inner.additionalProperties === 'object' ? [inner.additionalProperties] : [];
  });
}

function suggestion(word: string, known: readonly string[], otherwise?: string): string {
  const ranked = known
    .map((candidate) => ({
      candidate,
      distance: editDistance(word.toLowerCase(), candidate.toLowerCase()),
    }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best && best.distance <= Math.max(1, Math.floor(word.length / 3))) {
    return `: did you mean "${best.candidate}"?`;
  }
  if (otherwise !== undefined || known.length === 0) return otherwise ?? '';
  return `: known here are ${known.filter((key) => key !== '$schema').join(', ')}`;
}

/** Levenshtein distance: insertions, deletions and substitutions from one word to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
