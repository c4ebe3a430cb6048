import type { RawHeaders } from '../shared/raw-headers.ts';

/** Headers of a request as HTTP/1 has them. */
export interface Http1Headers {
  readonly headers: string[];
  /** Why the request must not be passed on; `undefined` when it may. */
  readonly problem?: string;
}

/** Of these HTTP/2 knows nothing (RFC 9113 §8.2.2): in HTTP/1 they would be orders to the next server. */
const OF_CONNECTIONS =
  /^(?:connection|http2-settings|keep-alive|proxy-connection|transfer-encoding|upgrade)$/;
/** A token in lower case (RFC 9113 §8.2.1). */
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Turn the raw headers of an HTTP/2 request into those of the same request over HTTP/1.
 *
 * SECURITY: what HTTP/2 carries in one field could become several lines, or another body, in
 * HTTP/1 (RFC 9113 §10.3): every name and value is checked.
 */
export function http1Headers(raw: RawHeaders, { mayHaveBody = false } = {}): Http1Headers {
  const headers: string[] = [];
  const crumbs: string[] = [];
  let [authority, host, length]: (string | undefined)[] = [];
  let isAfterPseudo = false;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i], raw[i + 1]];
    if (!VALUE.test(value) || /^[\t ]|[\t ]$/.test(value)) return bad('a malformed value');
    if (name.startsWith(':')) {
      if (isAfterPseudo) return bad('a pseudo-header behind a header');
      if (name === ':authority') authority = value;
      continue;
    }
    isAfterPseudo = true;
    if (!NAME.test(name)) return bad('a malformed name');
    if (OF_CONNECTIONS.test(name)) return bad('a header of HTTP/1 connections');
    if (name === 'te' && value.toLowerCase() !== 'trailers') return bad('a transfer coding');
    if (name === 'host') {
      if (host !== undefined) return bad('two hosts');
      host = value;
    } else if (name === 'cookie') {
      crumbs.push(value);
    } else {
      if (name === 'content-length') {
        if (length !== undefined || !/^\d{1,16}$/.test(value)) return bad('a malformed length');
        length = value;
      }
      headers.push(name, value);
    }
  }
  if (
    host !== undefined &&
    authority !== undefined &&
    host.toLowerCase() !== authority.toLowerCase()
  )
    return bad('two hosts');
  const asked = authority ?? host;
  if (asked !== undefined) headers.unshift('host', asked);
  // RFC 9113 §8.2.3: HTTP/2 may send each cookie in a header of its own.
  if (crumbs.length > 0) headers.push('cookie', crumbs.join('; '));
  // HTTP/1 has to be told that a body follows whose length nobody knows.
  if (mayHaveBody && length === undefined) headers.push('transfer-encoding', 'chunked');
  return { headers };
}

function bad(problem: string): Http1Headers {
  return { headers: [], problem };
}
