import { createHmac } from 'node:crypto';
import type { VaryItem } from '../config/vary.ts';
import type { Downstream } from '../shared/downstream.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValues, trimBlanks } from '../shared/raw-headers.ts';
import { matchingHeaders } from './matching-headers.ts';
import type { Content } from './request-body.ts';
import { isIgnored } from './url-encoded.ts';

/** What a channel key is made of. */
export interface KeyParts {
  /** A state, or one session's view of a state that sessions share. */
  readonly kind: 'state' | 'session';
  /** The endpoint's name: two endpoints never share a channel. */
  readonly endpoint: string;
  /** Path and query of the poll. */
  readonly target: string;
  /** What the poll carries, if it is a `POST`. */
  readonly content: Content | undefined;
  readonly vary: readonly VaryItem[];
  readonly downstream: Downstream;
  readonly rawHeaders: RawHeaders;
}

/** The part of a client's request that its poll carries, and the channel's name made of it. */
export interface Identity {
  /** Name of the channel: equal exactly when everything that the poll carries is equal. */
  readonly channel: string;
  /** Header names, in lower case, with the client's values to send with the poll. */
  readonly forwarded: ReadonlyMap<string, readonly string[]>;
}

/**
 * Take from a request what its endpoint varies on.
 *
 * SECURITY: forwarded equals keyed. Whatever a poll carries of a client is in the key, whole and in
 * order, so one client's answer cannot reach another by construction. The key is a keyed hash:
 * credentials are in no name, log or metric.
 *
 * @param secret - Random, at least 32 bytes; the same on all nodes that share a backplane.
 */
export function identify(parts: KeyParts, secret: Uint8Array): Identity {
  const { kind, endpoint, target, content, vary, downstream, rawHeaders } = parts;
  const forwarded = new Map<string, readonly string[]>([
    ['host', [downstream.host]],
    ['x-forwarded-proto', [downstream.scheme]],
  ]);
  for (const item of vary) {
    if (item.kind === 'header')
      setUnlessEmpty(forwarded, item.name, headerValues(rawHeaders, item.name));
    if (item.kind === 'headers') {
      for (const [name, values] of matchingHeaders(item.pattern, rawHeaders)) {
        forwarded.set(name, values);
      }
    }
    if (item.kind === 'address') forwarded.set('x-forwarded-for', [downstream.address]);
  }
  setUnlessEmpty(forwarded, 'cookie', varyingCookies(vary, rawHeaders));
  // JSON keeps the parts apart whatever they hold; "ab","c" is not "a","bc", nothing is not "".
  const body = content && [content.type ?? null, content.bytes.toString('latin1')];
  const tuple = JSON.stringify([kind, endpoint, target, body ?? null, [...forwarded]]);
  const channel = createHmac('sha256', secret).update(tuple).digest('base64url');
  return { channel, forwarded };
}

/** Names that `identify` takes from the connection, not from the request. */
const OF_THE_CONNECTION = new Set(['host', 'x-forwarded-proto', 'x-forwarded-for']);

/** The headers by which a request of the same connection would be identified in the same way. */
export function identifyingHeaders({ forwarded }: Pick<Identity, 'forwarded'>): string[] {
  return [...forwarded].flatMap(([name, values]) =>
    OF_THE_CONNECTION.has(name) ? [] : values.flatMap((value) => [name, value]),
  );
}

/**
 * A target without the query parameters that only defeat caches. What stays is byte for byte as it
 * was sent, order and empty parameters too.
 *
 * @param kept - Names that are part of the address although `ignored` names them.
 */
export function canonicalTarget(
  target: string,
  ignored: readonly string[],
  kept: readonly string[] = [],
): string {
  const start = target.indexOf('?');
  if (start === -1 || ignored.length === 0) return target;
  const parameters = target.slice(start + 1).split('&');
  const left = parameters.filter((parameter) => {
    return !isIgnored(parameterName(parameter), ignored, kept);
  });
  if (left.length === parameters.length) return target;
  return left.length === 0 ? target.slice(0, start) : `${target.slice(0, start)}?${left.join('&')}`;
}

function parameterName(parameter: string): string {
  const raw = parameter.split('=', 1)[0] ?? '';
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw; // not an escape: the name is what stands there
  }
}

/** The Cookie header lines to send: the client's own, or one of the named cookies only. */
export function varyingCookies(vary: readonly VaryItem[], rawHeaders: RawHeaders): string[] {
  const lines = headerValues(rawHeaders, 'cookie');
  if (vary.some((item) => item.kind === 'cookies')) return lines;
  const names = new Set(vary.flatMap((item) => (item.kind === 'cookie' ? [item.name] : [])));
  if (names.size === 0) return [];
  const pairs = lines
    .flatMap((line) => line.split(';'))
    .map(trimBlanks)
    .filter((pair) => names.has(trimBlanks(pair.split('=', 1)[0] ?? '')));
  return pairs.length === 0 ? [] : [pairs.join('; ')];
}

function setUnlessEmpty(
  map: Map<string, readonly string[]>,
  name: string,
  values: readonly string[],
): void {
  if (values.length > 0) map.set(name, values);
}
