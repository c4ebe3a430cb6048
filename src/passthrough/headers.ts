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
  /^(?:host|content-.*|cookie|set-cookie|authorization|forwarded|via|x-forwarded-.*|x-real-ip)$/;

/** Identity that a client could invent; ours is set in its place. */
const FORWARDING = /^(?:forwarded|x-forwarded-.*|x-real-ip)$/;

/** Which headers leave toward the upstream, and how the upstream is told about the client. */
export interface RequestHeadersOptions {
  readonly downstream: Downstream;
  /** The `Host` to send; `undefined` keeps the client's. */
  readonly upstreamHost: string | undefined;
}

/**
 * The headers of a forwarded request: order, case, duplicates and bytes as received, less what is
 * hop-by-hop, with the client's identity as we know it.
 */
export function requestHeaders(raw: RawHeaders, options: RequestHeadersOptions): string[] {
  const { downstream, upstreamHost } = options;
  const dropped = connectionTokens(raw);
  const headers: string[] = ['Host', upstreamHost ?? downstream.authority];
  const forwardedFor: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [field = '', value = ''] = [raw[i], raw[i + 1]];
    const name = field.toLowerCase();
    if (name === 'host' || HOP_BY_HOP.has(name) || dropped.has(name)) continue;
    // Expect is answered by this server, which has asked for the body already.
    if (name === 'expect') continue;
    // CGI turns both X_Forwarded_For and X-Forwarded-For into HTTP_X_FORWARDED_FOR.
    if (name.includes('_')) continue;
    if (FORWARDING.test(name)) {
      if (!downstream.trusted) continue;
      if (name === 'x-forwarded-for') {
        forwardedFor.push(value);
        continue;
      }
      if (name === 'x-forwarded-proto') continue;
    }
    headers.push(field, value);
  }
  headers.push('X-Forwarded-For', [...forwardedFor, downstream.peer].join(', '));
  headers.push('X-Forwarded-Proto', downstream.scheme);
  if (!downstream.trusted || headerValues(raw, 'x-forwarded-host').length === 0) {
    headers.push('X-Forwarded-Host', downstream.authority);
  }
  return headers;
}

/** The headers of a forwarded answer: as received, less what is hop-by-hop. */
export function responseHeaders(raw: RawHeaders): string[] {
  const dropped = connectionTokens(raw);
  const headers: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [field = '', value = ''] = [raw[i], raw[i + 1]];
    const name = field.toLowerCase();
    if (!HOP_BY_HOP.has(name) && !dropped.has(name)) headers.push(field, value);
  }
  return headers;
}

/** Names that `Connection` lines declare to be hop-by-hop. */
function connectionTokens(raw: RawHeaders): Set<string> {
  const tokens = headerValues(raw, 'connection').flatMap((value) => listItems(value.toLowerCase()));
  return new Set(tokens.filter((token) => !NEVER_HOP_BY_HOP.test(token)));
}
