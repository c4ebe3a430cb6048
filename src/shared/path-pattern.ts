import { OWN_PREFIX } from '../protocol/surface.ts';

/** A parsed path pattern of the config, such as `/api/orders/:id`. */
export interface PathPattern {
  /** As it stands in the config; also the name of the endpoint in logs. */
  readonly source: string;
  readonly segments: readonly Segment[];
}

/** One segment: a literal text, any one non-empty segment (`:name`, `*`), or the rest (`**`). */
export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'one' }
  | { readonly kind: 'rest' };

/** A path that ends is a better match than one whose rest is anything. */
const RANK = { literal: 0, one: 1, end: 2, rest: 3 } as const;

/** Why a text is no path pattern, or `undefined` when it is one. */
export function patternProblem(source: string): string | undefined {
  if (!source.startsWith('/')) return `must start with "/": try "/${source}"`;
  if (/[?#]/.test(source)) {
    return 'must be a path without "?" or "#": every query string of the path is live, see "ignoreQuery"';
  }
  if (isOwnPath(source)) return '"/_comet/" is the proxy\'s own, choose another path';
  const segments = source.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    if (segment === '**' && index !== segments.length - 1) return '"**" must be the last segment';
    if (segment === '*' || segment === '**' || /^:[A-Za-z_]\w*$/.test(segment)) continue;
    if (segment.includes('*')) return `"*" must be a whole segment: current value is "${segment}"`;
    if (segment.startsWith(':')) return `a parameter is ":name": current value is "${segment}"`;
    if (decodeSegment(segment) === undefined) {
      return `the segment "${segment}" can never match: no "..", ";", "\\", encoded slash or bad "%"`;
    }
  }
  return undefined;
}

/** Parse a pattern for which `patternProblem` found nothing. */
export function parsePattern(source: string): PathPattern {
  const segments = source
    .slice(1)
    .split('/')
    .map((text): Segment => {
      if (text === '**') return { kind: 'rest' };
      if (text === '*' || text.startsWith(':')) return { kind: 'one' };
      return { kind: 'literal', text: decodeSegment(text) ?? text };
    });
  return { source, segments };
}

/** What two patterns share when they match exactly the same paths. */
export function patternShape(pattern: PathPattern): string {
  return JSON.stringify(pattern.segments);
}

/**
 * Split a raw path into decoded segments, or give `undefined` when a server behind us might read
 * it as another path than it looks: dot segments, encoded slashes, backslashes, path parameters,
 * NUL, malformed escapes.
 *
 * SECURITY: such a path is never live, so no other resource can be taken for a shared one
 * (web cache deception).
 */
export function pathSegments(rawPath: string): string[] | undefined {
  if (!rawPath.startsWith('/')) return undefined;
  const segments: string[] = [];
  for (const raw of rawPath.slice(1).split('/')) {
    const segment = decodeSegment(raw);
    if (segment === undefined) return undefined;
    segments.push(segment);
  }
  return segments;
}

/** Does a pattern match these decoded segments? */
export function matchesPattern(pattern: PathPattern, segments: readonly string[]): boolean {
  for (const [index, wanted] of pattern.segments.entries()) {
    // Many servers read "//" as "/": only a pattern that says so means it.
    if (wanted.kind === 'rest') return !segments.slice(index, -1).includes('');
    const segment = segments[index];
    if (segment === undefined) return false;
    if (wanted.kind === 'literal' ? segment !== wanted.text : segment === '') return false;
  }
  return segments.length === pattern.segments.length;
}

/** SECURITY: in any spelling of its letters the prefix is ours: `/%5Fcomet/` is not the site's. */
export function isOwnPath(path: string): boolean {
  const start = path.slice(0, OWN_PREFIX.length * 3);
  const decoded = start.includes('%')
    ? start.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      )
    : start;
  return decoded.startsWith(OWN_PREFIX) || `${decoded}/` === OWN_PREFIX;
}

/** Sort order: the most specific pattern first, decided at the first segment that differs. */
export function compareSpecificity(a: PathPattern, b: PathPattern): number {
  const length = Math.max(a.segments.length, b.segments.length);
  for (let i = 0; i < length; i++) {
    const left = a.segments[i]?.kind ?? 'end';
    const right = b.segments[i]?.kind ?? 'end';
    if (left !== right) return RANK[left] - RANK[right];
  }
  return 0;
}

function decodeSegment(raw: string): string | undefined {
  if (/[\\;]|%(?:2f|5c|3b|00)/i.test(raw)) return undefined;
  let text = raw;
  try {
    if (raw.includes('%')) text = decodeURIComponent(raw);
  } catch {
    return undefined; // a malformed escape: nobody can say which path this is
  }
  return text === '.' || text === '..' ? undefined : text;
}
