import { ProxyError } from '../shared/errors.ts';
import { looseSegments, restBelow } from '../shared/mount-path.ts';
import type { PathPattern } from '../shared/path-pattern.ts';
import {
  compareSpecificity,
  isOwnPath,
  matchesPattern,
  pathSegments,
} from '../shared/path-pattern.ts';

/** What a request is for. */
export type Match<E, M> =
  /** Under `/_comet/`: ours, never the site's. */
  | { readonly kind: 'own' }
  /** Under the mount of a Comet origin; `rest` is the target below it, byte for byte. */
  | { readonly kind: 'mount'; readonly mount: M; readonly rest: string }
  /** A live endpoint's own URL. */
  | { readonly kind: 'live'; readonly endpoint: E }
  /** Everything else. */
  | { readonly kind: 'site' };

/**
 * Decides by path alone what a request or an upgrade is for.
 *
 * @throws {ProxyError} `BAD_PATH` when a server behind a mount could read the path as another one.
 */
export type Router<E, M> = (target: string) => Match<E, M>;

const OWN = { kind: 'own' } as const;
const SITE = { kind: 'site' } as const;

/** Make a router; the most specific mount wins over others, mounts over live endpoints. */
export function createRouter<
  E extends { readonly pattern: PathPattern },
  M extends { readonly prefix: string },
>(endpoints: readonly E[], mounts: readonly M[]): Router<E, M> {
  const sorted = [...endpoints].sort((a, b) => compareSpecificity(a.pattern, b.pattern));
  const byLength = [...mounts].sort((a, b) => b.prefix.length - a.prefix.length);
  return (target) => {
    const query = target.indexOf('?');
    const path = query === -1 ? target : target.slice(0, query);
    if (isOwnPath(path)) return OWN;
    for (const mount of byLength) {
      const rest = restBelow(target, mount.prefix);
      if (rest === undefined) continue;
      refuseAmbiguous(path);
      return { kind: 'mount', mount, rest };
    }
    if (byLength.length > 0 && path.includes('%')) refuseDisguised(path, byLength);
    if (sorted.length === 0) return SITE;
    const segments = pathSegments(path);
    const endpoint = segments && sorted.find(({ pattern }) => matchesPattern(pattern, segments));
    return endpoint ? { kind: 'live', endpoint } : SITE;
  };
}

/** SECURITY: no spelling of `..` leads out of the origin's own path, or out of the mount. */
function refuseAmbiguous(path: string): void {
  const isMalformed = /%(?![0-9a-f]{2})|%00|\\|%5c/i.test(path);
  const climbs = looseSegments(path).some((segment) => segment === '.' || segment === '..');
  if (isMalformed || climbs) throw new ProxyError('BAD_PATH');
}

/** SECURITY: `/%63hat/` is read as `/chat/` by most servers; here it would go to the site. */
function refuseDisguised(path: string, mounts: readonly { readonly prefix: string }[]): void {
  const decoded = looseSegments(path).join('/');
  if (mounts.some(({ prefix }) => restBelow(decoded, prefix) !== undefined)) {
    throw new ProxyError('BAD_PATH');
  }
}
