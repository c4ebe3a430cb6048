import type { PathPattern } from '../shared/path-pattern.ts';
import {
  compareSpecificity,
  isOwnPath,
  matchesPattern,
  pathSegments,
} from '../shared/path-pattern.ts';

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
    if (isOwnPath(path)) return { kind: 'own' };
    const segments = pathSegments(path);
    const endpoint = segments && sorted.find(({ pattern }) => matchesPattern(pattern, segments));
    return endpoint ? { kind: 'live', endpoint } : { kind: 'site' };
  };
}
