import { matchesGlob } from '../shared/glob.ts';

/** How two documents are compared: by what they say, or also by how it is written. */
export type Compare = 'value' | 'bytes';

/** The way to a part, level by level; each segment is a glob. */
export type Path = readonly string[];

/** The parts of a document that are compared. */
export interface Paths {
  /** What counts; everything when empty. */
  readonly select: readonly Path[];
  /** What does not count. */
  readonly ignore: readonly Path[];
}

/**
 * Documents that are nested deeper are compared as they are: every level is a call on the stack.
 * Browsers draw the line for HTML at the same depth.
 */
export const MAX_LEVELS = 512;

/** Thrown while a document is read that is nested deeper than `MAX_LEVELS`. */
export class TooDeep extends Error {}

/** What was read, or `undefined` when the document turned out to be nested too deeply. */
export function unlessTooDeep<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof TooDeep) return undefined;
    throw error;
  }
}

/** What is left of paths below the member of this name: those that lead on, and those that end. */
export interface Below {
  readonly leadOn: readonly Path[];
  readonly end: readonly Path[];
}

const NONE: readonly Path[] = [];
const NOTHING: Below = { leadOn: NONE, end: NONE };

/**
 * Go down one level along paths.
 *
 * @param depth - How many segments of the paths are behind us.
 */
export function pathsBelow(paths: readonly Path[], depth: number, name: string): Below {
  if (paths.length === 0) return NOTHING;
  const fitting = paths.filter((path) => {
    const segment = path[depth];
    return segment !== undefined && matchesGlob(segment, name);
  });
  if (fitting.length === 0) return NOTHING;
  const end = fitting.filter((path) => path.length === depth + 1);
  return { leadOn: fitting.filter((path) => path.length > depth + 1), end };
}
