import type { Endpoint } from './endpoint.ts';
import { isNamed, isSafe } from './named-requests.ts';

/** A request that may change what endpoints show. */
export interface WriteRequest {
  readonly method: string;
  /** As it was sent, without the query. */
  readonly path: string;
  readonly segments: readonly string[];
}

/** Which channels a request is about: those of an endpoint that names it, else those at and above its path. */
export function createMeant(
  endpoints: readonly Endpoint[],
  { method, path, segments }: WriteRequest,
): (endpoint: Endpoint, target: string) => boolean {
  const named = new Set(
    endpoints.filter(({ config }) => isNamed(config.refreshOn ?? [], method, segments)),
  );
  return (endpoint, url) =>
    endpoint.config.refreshOn
      ? named.has(endpoint)
      : !isSafe(method) && isAtOrBelow(path, url.split('?', 1)[0] ?? '');
}

function isAtOrBelow(path: string, base: string): boolean {
  return path === base || path.startsWith(base.endsWith('/') ? base : `${base}/`);
}
