import type { RequestPattern } from '../config/request-pattern.ts';
import { matchesPattern, pathSegments } from '../shared/path-pattern.ts';
import type { Exchange } from './exchange.ts';

/** Methods that change nothing (RFC 9110 §9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Does a method change nothing, by the book? */
export function isSafe(method: string): boolean {
  return SAFE.has(method);
}

/** Is a request one of these? @param segments - Of its path. */
export function isNamed(
  patterns: readonly RequestPattern[],
  method: string,
  segments: readonly string[],
): boolean {
  return patterns.some(
    (one) =>
      (one.method === undefined ? !isSafe(method) : one.method === method) &&
      matchesPattern(one.pattern, segments),
  );
}

/** Looks at requests first, and cheaply: most are safe, and named by nobody. */
export class RequestWatch {
  readonly #watchesSafe: boolean;

  /** @param patterns - All that requests may be named by; without one unsafe ones are watched. */
  constructor(patterns: readonly RequestPattern[]) {
    this.#watchesSafe = patterns.some(({ method }) => method !== undefined && isSafe(method));
  }

  /** The segments of a request's path, where it could be meant. */
  segmentsOf({ req, target }: Exchange): readonly string[] | undefined {
    if (isSafe(req.method ?? '') && !this.#watchesSafe) return undefined;
    return pathSegments(target.split('?', 1)[0] ?? '');
  }
}
