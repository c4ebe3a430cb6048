import type { Downstream } from '../shared/downstream.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValues, listItems } from '../shared/raw-headers.ts';

/** Valid for one connection only (RFC 9110 §7.6.1, and what was in use before it). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-authentication-info',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/**
 * SECURITY: `Connection: Cookie` must not make us drop the cookie, nor what we add ourselves: a
 * client cannot name these as hop-by-hop.
 */
const NEVER_HOP_BY_HOP =
  /^(?:host|content-.*|cookie|set-cookie|authorization|forwarded|via|x-forwarded-.*|x-real-ip|origin|referer|sec-websocket-.*)$/;

/** Identity that a client could invent; ours is set in its place. */
const FORWARDING = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/;

/** Fields that may not stand in a trailer (RFC 9110 §6.5.1): framing, routing, who is asking. */
const NOT_IN_TRAILERS =
  /^(?:content-.*|host|set-cookie|cookie|authorization|www-authenticate|cache-control|expires|pragma|age|date|location|retry-after|vary|range|expect|max-forwards|x-forwarded-.*|forwarded)$/;

const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

const NO_TOKENS: ReadonlySet<string> = new Set();

/** Which headers leave toward the upstream, and how the upstream is told about the client. */
export interface RequestHeadersOptions {
  readonly downstream: Downstream;
  /** The `Host` to send; `undefined` keeps the client's. */
  readonly upstreamHost: string | undefined;
  /** What we call ourselves in `Via`, protocol version included; `undefined` does not. */
  readonly via: string | undefined;
}

/**
 * The headers of a forwarded request: order, case, duplicates and bytes as received, less what is
 * hop-by-hop, with the client's identity as we know it.
 */
export function requestHeaders(raw: RawHeaders, options: RequestHeadersOptions): string[] {
  const { downstream, upstreamHost, via } = options;
  const dropped = connectionTokens(raw);
  const headers: string[] = ['Host', upstreamHost ?? downstream.authority];
  let forwardedFor = '';
  let hasForwardedHost = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const field = raw[i] as string;
    const value = raw[i + 1] as string;
    const name = field.toLowerCase();
    // Expect is answered by us, when the upstream takes the body.
    if (name === 'host' || name === 'expect' || dropped.has(name)) continue;
    if (HOP_BY_HOP.has(name)) {
      if (name === 'te' && /\btrailers\b/i.test(value)) headers.push('TE', 'trailers');
      continue;
    }
    // SECURITY: CGI turns both X_Forwarded_For and X-Forwarded-For into HTTP_X_FORWARDED_FOR.
    if (name.includes('_')) continue;
    if (FORWARDING.test(name)) {
      if (!downstream.trusted || name === 'x-forwarded-proto') continue;
      if (name === 'x-forwarded-for') {
        forwardedFor += `${value}, `;
        continue;
      }
      hasForwardedHost ||= name === 'x-forwarded-host';
    }
    headers.push(field, value);
  }
  if (via !== undefined) headers.push('Via', via);
  headers.push('X-Forwarded-For', forwardedFor + downstream.peer);
  headers.push('X-Forwarded-Proto', downstream.scheme);
  if (!hasForwardedHost) headers.push('X-Forwarded-Host', downstream.authority);
  return headers;
}

/** The headers of a forwarded answer: as received, less what is hop-by-hop or meant for us. */
export function responseHeaders(raw: RawHeaders): string[] {
  const dropped = connectionTokens(raw);
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const field = raw[i] as string;
    const name = field.toLowerCase();
    if (HOP_BY_HOP.has(name) || dropped.has(name)) continue;
    // Orders to the proxy in front, by nginx's habit; we never buffer. And what only we may say.
    if (name.startsWith('x-accel-') || name === 'comet-live') continue;
    headers.push(field, raw[i + 1] as string);
  }
  return headers;
}

/** The trailers of a forwarded answer. */
export function forwardedTrailers(raw: RawHeaders): [name: string, value: string][] {
  const trailers: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const field = raw[i] as string;
    const name = field.toLowerCase();
    const value = raw[i + 1] as string;
    if (HOP_BY_HOP.has(name) || NOT_IN_TRAILERS.test(name)) continue;
    // A broken one is not worth the answer, which is whole.
    if (TOKEN.test(name) && FIELD_VALUE.test(value)) trailers.push([field, value]);
  }
  return trailers;
}

/** Names that `Connection` lines declare to be hop-by-hop. */
function connectionTokens(raw: RawHeaders): ReadonlySet<string> {
  const lines = headerValues(raw, 'connection');
  if (lines.length === 0 || lines.every((line) => line === 'keep-alive' || line === 'close')) {
    return NO_TOKENS;
  }
  const tokens = lines.flatMap((line) => listItems(line.toLowerCase()));
  return new Set(tokens.filter((token) => !NEVER_HOP_BY_HOP.test(token)));
}
