import { OWN_PREFIX } from '../protocol/surface.ts';
import type { PathPattern } from '../shared/path-pattern.ts';
import { compareSpecificity, matchesPattern, pathSegments } from '../shared/path-pattern.ts';

/** What a request is for. */
export type Match<E> =
  /** Under `/_comet/`: ours, never the site's. */
  | { readonly kind: 'own' }
  /** A live endpoint's own URL. */
  | { readonly kind: 'live'; readonly endpoint: E }
  /** Everything else. */
  | { readonly kind: 'site' };

/** Decides by path alone what a request is for. */
export type Router<E> = (target: string) => Match<E>;

/** Make a router over live endpoints; the most specific pattern wins. */
export function createRouter<E extends { readonly pattern: PathPattern }>(
  endpoints: readonly E[],
): Router<E> {
  const sorted = [...endpoints].sort((a, b) => compareSpecificity(a.pattern, b.pattern));
  return (target) => {
    const path = target.split('?', 1)[0] ?? '';
    if (isOwn(path)) return { kind: 'own' };
    const segments = pathSegments(path);
    const endpoint = segments && sorted.find(({ pattern }) => matchesPattern(pattern, segments));
    return endpoint ? { kind: 'live', endpoint } : { kind: 'site' };
  };
}

/** SECURITY: in any spelling of its letters the prefix is ours: `/%5Fcomet/` is not the site's. */
function isOwn(path: string): boolean {
  const start = path.slice(0, OWN_PREFIX.length * 3);
  const decoded = start.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return decoded.startsWith(OWN_PREFIX) || `${decoded}/` === OWN_PREFIX;
}
