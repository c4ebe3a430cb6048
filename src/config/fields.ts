import { z } from 'zod';
import { rangeProblem } from './readers.ts';
import { DURATION_PATTERN, parseDuration, parseSize, SIZE_PATTERN } from './units.ts';

/** A string that `read` turns into something else, or refuses with a sentence. */
export function text<T>(
  read: (value: string) => T | { problem: string },
  meta: Record<string, unknown>,
) {
  return z
    .string()
    .meta(meta)
    .transform((value, context) => {
      const result = read(value);
      if (typeof result === 'object' && result !== null && 'problem' in result) {
        context.addIssue({ code: 'custom', message: result.problem, input: value });
        return z.NEVER;
      }
      return result as Exclude<T, { problem: string }>;
    });
}

/** A duration in the config, as milliseconds. */
export function duration(
  fallback: string,
  description: string,
  bounds: { minMs?: number; maxMs?: number } = {},
) {
  const read = (value: string): number | { problem: string } => {
    const ms = parseDuration(value);
    if (ms === undefined) return { problem: `must be a duration such as "500ms", "2s" or "1m30s"` };
    return rangeProblem(ms, bounds.minMs ?? 0, bounds.maxMs) ?? ms;
  };
  return text(read, { pattern: DURATION_PATTERN, description }).prefault(fallback);
}

/** A size in the config, as bytes. */
export function size(fallback: string, description: string) {
  const read = (value: string): number | { problem: string } => {
    const bytes = parseSize(value);
    if (bytes === undefined) return { problem: 'must be a size such as "64KiB" or "4MiB"' };
    return bytes > 0 ? bytes : { problem: 'must be at least "1B"' };
  };
  return text(read, { pattern: SIZE_PATTERN, description }).prefault(fallback);
}

/** A number of things, at least one. */
export function count(fallback: number, description: string) {
  return z.int().min(1).meta({ description }).default(fallback);
}
