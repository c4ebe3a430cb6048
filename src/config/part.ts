import { compile } from 'css-select';
import { z } from 'zod';
import { text } from './fields.ts';

/** One part of an answer, as the keys `select` and `ignore` of a live endpoint name it. */
export type Part =
  /**
   * Of JSON the members and items that a JSON Pointer leads to; of XML the elements, or with a
   * last segment `@name` the attributes, that a path of names from the root leads to.
   */
  | {
      readonly kind: 'path';
      /** As it stands in the config. */
      readonly source: string;
      /** Unescaped. Each is a glob: `*` is any run of characters, `?` is one character. */
      readonly segments: readonly string[];
    }
  /** Of HTML the elements that a CSS selector finds. */
  | { readonly kind: 'css'; readonly selector: string };

/** Comparing takes time for each of them, at every poll. */
const MAX_PARTS = 32;
const MAX_LENGTH = 256;

const path = text(readPath, {
  description:
    'A part of a JSON or XML answer: a JSON Pointer, or a path of elements from the root whose last segment may be "@name", an attribute. In each segment "*" is any run of characters, "?" one.',
  pattern: '^/.',
  maxLength: MAX_LENGTH,
  examples: ['/aircraft/*/seen', '/result/FreeDiskSpace*', '/graphs/*/@rf'],
});

const selector = z
  .strictObject({
    css: text(readSelector, {
      description: 'Elements of an HTML answer: a CSS selector.',
      maxLength: MAX_LENGTH,
      examples: ['#rows td.age'],
    }),
  })
  .transform(({ css }): Part => ({ kind: 'css', selector: css }));

/** One part: a path, or an object with a CSS selector. */
export const part = z.union([path, selector]);

/** One part, or a list of them; none by default. */
export function parts(description: string) {
  return z
    .union([part.transform((only): Part[] => [only]), z.array(part).max(MAX_PARTS)])
    .meta({ description })
    .default([]);
}

function readPath(source: string): Part | { problem: string } {
  if (source.length > MAX_LENGTH) return { problem: `must be at most ${MAX_LENGTH} characters` };
  if (source === '' || source === '/') {
    return {
      problem:
        'must name a part, such as "/status": without "select" the whole answer counts, without "ignore" nothing is left out',
    };
  }
  if (!source.startsWith('/')) {
    const better = /^[#.[]/.test(source) ? JSON.stringify({ css: source }) : `"/${source}"`;
    return { problem: `must start with "/", or be a {"css": "…"}: try ${better}` };
  }
  if (/~(?![01])/.test(source)) {
    return { problem: 'must write "~" in a name as "~0", and "/" as "~1"' };
  }
  const raw = source.slice(1).split('/');
  if (raw.includes('')) {
    const better = raw.filter((segment) => segment !== '').join('/');
    return {
      problem: `must not hold empty segments${better === '' ? '' : `: try "/${better}"`}`,
    };
  }
  if (raw.includes('**')) {
    return { problem: 'must not hold "**": a part is named level by level, "*" is one level' };
  }
  // In this order, as RFC 6901 §4 says: "~01" is the name "~1".
  const segments = raw.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  return { kind: 'path', source, segments };
}

function readSelector(value: string): string | { problem: string } {
  if (value.length > MAX_LENGTH) return { problem: `must be at most ${MAX_LENGTH} characters` };
  if (value.trim() === '') return { problem: 'must be a CSS selector such as "#rows td.age"' };
  try {
    compile(value);
    return value;
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).trim();
    return { problem: `must be a CSS selector such as "#rows td.age": ${reason}` };
  }
}
