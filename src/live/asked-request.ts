import type { Downstream } from '../shared/downstream.ts';
import type { Question } from '../shared/explanation.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValue, headerValues, listItems } from '../shared/raw-headers.ts';
import { ownTarget } from './stream-query.ts';
import type { Inquiry } from './wanted.ts';

/** A request that somebody wants explained, as it would arrive. */
export interface AskedRequest {
  /** Path and query. */
  readonly target: string;
  readonly method: string;
  readonly rawHeaders: RawHeaders;
  /** What nobody knows of it is empty: the host of a bare path, the client's address. */
  readonly downstream: Downstream;
  readonly body: string | undefined;
}

/**
 * Read what somebody asks about.
 *
 * @throws {ProxyError} `BAD_URL`.
 */
export function readQuestion({ target: url, method, headers, body }: Question): AskedRequest {
  const target = targetOf(url);
  const [, ownScheme, authority] = /^(https?):\/\/([^/]+)/.exec(originOf(url)) ?? [];
  const host = headerValue(headers, 'host')?.toLowerCase() ?? authority ?? '';
  const forwarded = headerValue(headers, 'x-forwarded-proto')?.toLowerCase();
  const scheme = (ownScheme ?? forwarded) === 'https' ? 'https' : 'http';
  // The one that proxies would tell of the client.
  const address = headerValues(headers, 'x-forwarded-for').flatMap(listItems).at(-1) ?? '';
  const peer = { address, peer: address, trusted: false };
  const downstream: Downstream = { ...peer, scheme, authority: host, host };
  return { target, method: method.toUpperCase(), rawHeaders: headers, downstream, body };
}

/** What it asks for. */
export function inquiryOf({ method, target, rawHeaders, body = '' }: AskedRequest): Inquiry {
  const content = { type: headerValue(rawHeaders, 'content-type'), bytes: Buffer.from(body) };
  return { method, target, content: method === 'POST' ? content : undefined };
}

/**
 * Path and query of a URL, of whatever host it is.
 *
 * @throws {ProxyError} `BAD_URL`.
 */
export function targetOf(url: string): string {
  const origin = originOf(url);
  // People leave out the path of a bare origin.
  return ownTarget(origin !== '' && url.length === origin.length ? `${url}/` : url, origin);
}

/** Scheme, host and port in lower case; empty of a path. */
function originOf(url: string): string {
  return /^https?:\/\/[^/?#\\]+/i.exec(url)?.[0].toLowerCase() ?? '';
}
