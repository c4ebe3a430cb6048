import type { ErrorCode } from '../shared/errors.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValue } from '../shared/raw-headers.ts';

/** May this request read events, and for which origin but our own? */
export type GateResult =
  | { readonly kind: 'open'; readonly foreign: string | undefined }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

/** What a gate decides by, besides the request's headers. */
export interface GateOptions {
  /** The origin that the client sees this site under. */
  readonly own: string;
  /** Other origins that may read, from the config's `origins`. */
  readonly allowed: readonly string[];
  /** The origin that the request itself names in its URL. */
  readonly claimed?: string | undefined;
}

/**
 * Decides by what browsers say of where a request comes from (Fetch Metadata, `Origin`).
 *
 * SECURITY: cross-site is refused unless listed.
 */
export type Gate = (headers: RawHeaders, options: GateOptions) => GateResult;

const REFUSED: GateResult = { kind: 'refused', code: 'CROSS_SITE' };
const OPEN: GateResult = { kind: 'open', foreign: undefined };

/**
 * A gate for what a page's script reads: other origins need CORS, or send `Origin` (WebSocket).
 * Requests of programs, which send none of these headers, are let through: they hold no ambient
 * credentials of anybody.
 *
 * @param destinations - The values of `Sec-Fetch-Dest` that fit.
 */
export function readerGate(...destinations: string[]): Gate {
  return (headers, { own, allowed }) => {
    if (!isFor(headers, destinations)) return { kind: 'refused', code: 'WRONG_DESTINATION' };
    const origin = foreignOrigin(headers, own);
    return origin === undefined ? OPEN : ifListed(origin, allowed);
  };
}

/**
 * A gate for script elements. They need no CORS and send no `Origin`, and what they load is run by
 * whatever page includes it.
 *
 * SECURITY: so the request must prove where it comes from, by Fetch Metadata or by `Referer`; who
 * sends neither is refused, programs too.
 */
export const scriptGate: Gate = (headers, { own, allowed }) => {
  if (!isFor(headers, ['script'])) return { kind: 'refused', code: 'WRONG_DESTINATION' };
  if (provesOwnOrigin(headers, own)) return OPEN;
  const origin = (headerValue(headers, 'origin') ?? refererOrigin(headers))?.toLowerCase();
  return origin === undefined || origin === own ? REFUSED : ifListed(origin, allowed);
};

/** Does a request prove that it comes from a page of our own? */
export function provesOwnOrigin(headers: RawHeaders, own: string): boolean {
  const site = headerValue(headers, 'sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  return (headerValue(headers, 'origin') ?? refererOrigin(headers))?.toLowerCase() === own;
}

/**
 * A gate for frames. A navigation sends no `Origin`, so a page of another origin has to name itself
 * in the URL. If it lies, the browser keeps the events from it: they are posted to the origin that
 * was named, and the answer's `frame-ancestors` names no other.
 */
export const frameGate: Gate = (headers, { own, allowed, claimed }) => {
  if (!isFor(headers, ['iframe', 'frame'])) return { kind: 'refused', code: 'WRONG_DESTINATION' };
  if (claimed !== undefined && claimed !== own) return ifListed(claimed, allowed);
  return foreignOrigin(headers, own) === undefined ? OPEN : REFUSED;
};

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
export function corsHeaders(foreign: string | undefined): Record<string, string> {
  if (foreign === undefined) return { 'cross-origin-resource-policy': 'same-origin' };
  return {
    'access-control-allow-origin': foreign,
    'access-control-allow-credentials': 'true',
    'cross-origin-resource-policy': 'cross-origin',
    vary: 'Origin',
  };
}

function isFor(headers: RawHeaders, destinations: readonly string[]): boolean {
  const destination = headerValue(headers, 'sec-fetch-dest');
  return destination === undefined || destinations.includes(destination);
}

function ifListed(origin: string, allowed: readonly string[]): GateResult {
  return origin !== UNNAMED && allowed.includes(origin)
    ? { kind: 'open', foreign: origin }
    : REFUSED;
}

function refererOrigin(headers: RawHeaders): string | undefined {
  const referer = headerValue(headers, 'referer') ?? '';
  return URL.canParse(referer) ? new URL(referer).origin : undefined;
}
