import type { ErrorCode } from '../shared/errors.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValue } from '../shared/raw-headers.ts';

/** May this request read a stream, and which origin must be told so (CORS)? */
export type GateResult =
  | { readonly kind: 'open'; readonly corsOrigin: string | undefined }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

/** Loads that hand the data to a page's script, or show it to the person who asked for it. */
const DESTINATIONS = new Set(['empty', 'document']);

/**
 * Decide by what browsers say of where a request comes from (Fetch Metadata, `Origin`).
 *
 * SECURITY: cross-site is refused unless listed. Requests of programs, which send none of these
 * headers, are let through: they hold no ambient credentials of anybody.
 *
 * @param own - The origin that the client sees this site under.
 * @param allowed - Other origins that may read, from the config's `origins`.
 */
export function gateStream(
  headers: RawHeaders,
  own: string,
  allowed: readonly string[],
): GateResult {
  const destination = headerValue(headers, 'sec-fetch-dest');
  if (destination !== undefined && !DESTINATIONS.has(destination)) {
    return { kind: 'refused', code: 'WRONG_DESTINATION' };
  }
  const origin = foreignOrigin(headers, own);
  if (origin === undefined) return { kind: 'open', corsOrigin: undefined };
  return origin !== UNNAMED && allowed.includes(origin)
    ? { kind: 'open', corsOrigin: origin }
    : { kind: 'refused', code: 'CROSS_SITE' };
}

/** A cross-site request that does not name its origin. */
const UNNAMED = '';

/** The other origin that a request comes from; `undefined` when it is our own, or a program. */
export function foreignOrigin(headers: RawHeaders, own: string): string | undefined {
  const origin = headerValue(headers, 'origin')?.toLowerCase();
  if (origin !== undefined) return origin === own ? undefined : origin;
  const site = headerValue(headers, 'sec-fetch-site');
  return site === 'cross-site' || site === 'same-site' ? UNNAMED : undefined;
}

/** The headers that let a listed origin's page read the answer. */
export function corsHeaders(origin: string | undefined): Record<string, string> {
  if (origin === undefined) return { 'cross-origin-resource-policy': 'same-origin' };
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'cross-origin-resource-policy': 'cross-origin',
    vary: 'Origin',
  };
}
