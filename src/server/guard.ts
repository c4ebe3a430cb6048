import type { IncomingMessage } from 'node:http';
import { ProxyError } from '../shared/errors.ts';
import { headerValues } from '../shared/raw-headers.ts';
import { http2StreamOf } from '../shared/truncate.ts';

/** Bounds that Node's own parser does not check. */
export interface GuardLimits {
  readonly maxHeaders: number;
  readonly maxUrlBytes: number;
}

/** `host` or `host:port`: a name, an IPv4 address, or an IPv6 address in brackets. */
const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

const NO_LIMITS: GuardLimits = { maxHeaders: Infinity, maxUrlBytes: Infinity };

/** What a request is for, once it has passed. */
export interface Target {
  /** Path and query, byte for byte as sent. */
  readonly target: string;
  /** Host and port that the client asks for, as it wrote them. */
  readonly authority: string;
}

/**
 * Refuse what Node's parser lets through and another server might read in another way.
 *
 * @throws {ProxyError} with the code that says what is wrong.
 */
export function guardRequest(req: IncomingMessage, limits: GuardLimits = NO_LIMITS): Target {
  // SECURITY: request framing (RFC 9112 §6.1). Anything but one "chunked" is a smuggling attempt.
  const codings = headerValues(req.rawHeaders, 'transfer-encoding');
  if (codings.length > 0) {
    const isChunked = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked';
    if (!isChunked || req.httpVersion === '1.0') throw new ProxyError('BAD_TRANSFER_ENCODING');
  }
  // Whether it is HTTP/2 the connection says; a request line of HTTP/1 cannot.
  const isUnderstood = req.httpVersion === '1.1' || req.httpVersion === '1.0' || http2StreamOf(req);
  if (!isUnderstood) throw new ProxyError('HTTP_VERSION');
  // SECURITY: it shows a page's script what is hidden from it, such as cookies.
  if (req.method === 'TRACE') throw new ProxyError('METHOD_NOT_PASSED_ON');
  // Node 20 drops headers beyond its own limit in silence: refuse well before that.
  if (req.rawHeaders.length / 2 > limits.maxHeaders) throw new ProxyError('HEADERS_TOO_LARGE');
  const url = req.url ?? '';
  if (url.length > limits.maxUrlBytes) throw new ProxyError('URI_TOO_LONG');

  const hosts = headerValues(req.rawHeaders, 'host');
  const isOptional = req.httpVersion === '1.0' && hosts.length === 0;
  if (!isOptional && (hosts.length !== 1 || !HOST.test(hosts[0] ?? ''))) {
    throw new ProxyError('BAD_HOST');
  }
  if (isAsterisk(req)) return { target: url, authority: hosts[0] ?? 'localhost' };
  return targetOf(url, hosts[0] ?? 'localhost');
}

/** `OPTIONS *` asks about the server and not about a path of it. */
export function isAsterisk(req: IncomingMessage): boolean {
  return req.url === '*' && req.method === 'OPTIONS';
}

/** RFC 9112 §3.2: origin-form as it is; the authority of an absolute-form wins over `Host`. */
function targetOf(url: string, host: string): Target {
  if (/[^\x21-\x7e\x80-\xff]|#/.test(url)) throw new ProxyError('BAD_TARGET');
  if (url.startsWith('/')) return { target: url, authority: host };
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  if (!absolute) throw new ProxyError('BAD_TARGET');
  const [, authority = '', rest = ''] = absolute;
  if (!HOST.test(authority)) throw new ProxyError('BAD_TARGET');
  return { target: rest.startsWith('/') ? rest : `/${rest}`, authority };
}
