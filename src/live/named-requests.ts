import type { RequestPattern } from '../config/request-pattern.ts';
import { matchesPattern } from '../shared/path-pattern.ts';

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

/** Is one of these a request whose method is safe by the book? */
export function namesSafe(patterns: readonly RequestPattern[]): boolean {
  return patterns.some(({ method }) => method !== undefined && isSafe(method));
}
