import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValues } from '../shared/raw-headers.ts';
import { AdminError } from './admin-route.ts';

/** What requests are judged by. */
export interface AdminGuardOptions {
  readonly token: string | undefined;
  /** The listener is a unix socket: who may connect was decided by the permissions of its file. */
  readonly isUnix: boolean;
}

/**
 * Says who may ask. What for, is not looked at before that.
 *
 * @throws {AdminError} when a request is refused.
 */
export type AdminGuard = (headers: RawHeaders) => void;

/** Headers that proxies add. */
const PROXY_HEADERS = ['via', 'forwarded', 'x-forwarded-for'];

/**
 * Make the guard of one listener.
 *
 * SECURITY: a listener of the loopback can be reached from every browser of the machine, so pages
 * are kept out first: those whose own name resolves to our address (DNS rebinding) by `Host`, and
 * those of other sites by what browsers say of them. Cookies are never looked at.
 */
export function createAdminGuard({ token, isUnix }: AdminGuardOptions): AdminGuard {
  const isToken = token === undefined ? undefined : createTokenCheck(token);
  return (headers) => {
    if (!isUnix && !isLocalName(headerValues(headers, 'host'))) {
      throw new AdminError('HOST_NOT_LOCAL');
    }
    if (isFromPage(headers)) throw new AdminError('FROM_A_PAGE');
    if (isToken === undefined) {
      // SECURITY: "from this machine" says nothing of what a proxy on it passes on, ours too.
      if (PROXY_HEADERS.some((name) => headerValues(headers, name).length > 0)) {
        throw new AdminError('FROM_A_PROXY');
      }
    } else if (!isToken(bearerOf(headers))) {
      throw new AdminError('UNAUTHORIZED', { 'www-authenticate': 'Bearer realm="comet-proxy"' });
    }
  };
}

/** An IP address or `localhost`, with a port or without: no name that somebody else can point here. */
function isLocalName(hosts: readonly string[]): boolean {
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/.exec(hosts[0] ?? '');
  if (hosts.length !== 1 || !match) return false;
  const [, inBrackets, plain = ''] = match;
  if (inBrackets !== undefined) return isIP(inBrackets) === 6;
  return isIP(plain) === 4 || plain.toLowerCase() === 'localhost';
}

/** Fetch Metadata of a request that no page has caused is `none`, or absent outside of browsers. */
function isFromPage(headers: RawHeaders): boolean {
  const sites = headerValues(headers, 'sec-fetch-site');
  return (
    headerValues(headers, 'origin').length > 0 ||
    sites.some((site) => site !== 'none' && site !== 'same-origin')
  );
}

function bearerOf(headers: RawHeaders): string | undefined {
  const values = headerValues(headers, 'authorization');
  return values.length === 1 ? /^Bearer +([\x21-\x7e]+)$/i.exec(values[0] ?? '')?.[1] : undefined;
}

/** SECURITY: hashes have one length, and are compared in one time: it tells nothing of the token. */
function createTokenCheck(token: string): (given: string | undefined) => boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  const wanted = hash(token);
  return (given) => timingSafeEqual(hash(given ?? ''), wanted) && given !== undefined;
}
