import type { PathPattern } from '../shared/path-pattern.ts';
import { parsePattern, patternProblem } from '../shared/path-pattern.ts';

/** Which requests are meant: `POST /api/orders/**`. */
export interface RequestPattern {
  /** In capitals; `undefined` is every method that is not safe (RFC 9110 §9.2.1). */
  readonly method: string | undefined;
  readonly pattern: PathPattern;
}

/** Read a path pattern, or a method and a path pattern. */
export function readRequestPattern(value: string): RequestPattern | { problem: string } {
  const words = value.trim().split(/\s+/);
  const [path = '', method] = words.toReversed();
  if (words.length > 2 || (method !== undefined && !/^[A-Za-z]+$/.test(method))) {
    return {
      problem: 'must be a path pattern, or a method and one, such as "POST /api/orders/**"',
    };
  }
  const problem = patternProblem(path);
  return problem ? { problem } : { method: method?.toUpperCase(), pattern: parsePattern(path) };
}
