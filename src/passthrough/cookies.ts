import { restBelow } from '../shared/mount-path.ts';
import { trimBlanks } from '../shared/raw-headers.ts';
import { join } from './url-map.ts';

/*
 * A Comet origin's cookies live beside the site's in one jar. They are confined to the mount in
 * both directions: their path lies under it, and their names carry its mark, for a request does not
 * say which path a cookie was set for.
 */

/** A mount, as far as cookies are concerned. */
export interface CookieSpace {
  /** Path on the site, without its last slash. */
  readonly prefix: string;
  /** Path of the upstream, without its last slash. */
  readonly path: string;
  /** Cookies of the site that the upstream may see. */
  readonly shared: ReadonlySet<string>;
}

/** What cookies of the mount with this path have before their names: `/a/b` gives `a.b~`. */
export function cookieMark(prefix: string): string {
  return `${prefix
    .slice(1)
    .replaceAll('/', '.')
    .replace(/[^!#$%&'*+.^_`|0-9A-Za-z-]/g, '_')}~`;
}

/**
 * The `Cookie` header as the upstream is to see it, or `undefined` when nothing is left: its own
 * cookies under their own names, and of the site's those that are shared.
 */
export function cookiesForUpstream(header: string, space: CookieSpace): string | undefined {
  const mark = cookieMark(space.prefix);
  const own: string[] = [];
  const shared: [name: string, pair: string][] = [];
  const ownNames = new Set<string>();
  for (const part of header.split(';')) {
    const pair = trimBlanks(part);
    const equals = pair.indexOf('=');
    if (equals === -1) continue;
    const name = trimBlanks(pair.slice(0, equals));
    // SECURITY: what does not carry the mark was not set by this upstream.
    if (name.startsWith(mark)) {
      const ownName = name.slice(mark.length);
      const value = pair.slice(equals + 1);
      ownNames.add(ownName);
      own.push(ownName === '' ? value : `${ownName}=${value}`);
    } else if (space.shared.has(name)) {
      shared.push([name, pair]);
    }
  }
  const others = shared.filter(([name]) => !ownNames.has(name)).map(([, pair]) => pair);
  const pairs = [...own, ...others].filter((pair) => pair !== '');
  return pairs.length === 0 ? undefined : pairs.join('; ');
}

/** How the client is connected, and what it asked for. */
export interface SetCookieContext extends CookieSpace {
  readonly isEncrypted: boolean;
  /** Path of the request at the upstream, without query. */
  readonly requestPath: string;
}

/**
 * A `Set-Cookie` header of the upstream as the browser is to see it: host-only, below the mount,
 * under a name of the mount's, with attributes that suit a first-party cookie (RFC 6265bis).
 */
export function setCookieForClient(header: string, context: SetCookieContext): string {
  const [pair = '', ...attributes] = header.split(';');
  const equals = pair.indexOf('=');
  const name = equals === -1 ? '' : trimBlanks(pair.slice(0, equals));
  const value = trimBlanks(equals === -1 ? pair : pair.slice(equals + 1));
  const kept: string[] = [];
  let path: string | undefined;
  let sameSite: string | undefined;
  for (const attribute of attributes) {
    const [key = '', ...rest] = attribute.split('=');
    const text = rest.join('=').trim();
    switch (key.trim().toLowerCase()) {
      case 'domain': // it would name the upstream's host, and the browser refuse the cookie
      case 'partitioned': // goes with SameSite=None only
      case 'secure': // the client's own connection says it better
        break;
      case 'path':
        path = text;
        break;
      case 'samesite':
        sameSite = text;
        break;
      default:
        if (attribute.trim() !== '') kept.push(attribute.trim());
    }
  }
  const isStrict = sameSite?.toLowerCase() === 'strict';
  return [
    `${cookieMark(context.prefix)}${name}=${value}`,
    ...kept,
    `Path=${publicCookiePath(path, context)}`,
    // Over http a secure cookie would be lost, over https any other one can be stolen.
    ...(context.isEncrypted ? ['Secure'] : []),
    // What was third-party traffic is the site's own now.
    `SameSite=${isStrict ? 'Strict' : 'Lax'}`,
  ].join('; ');
}

/** The cookie path on the site (RFC 6265 §5.1.4); what lies outside the mount is the whole mount. */
export function publicCookiePath(
  path: string | undefined,
  { prefix, path: base, requestPath }: Pick<SetCookieContext, 'prefix' | 'path' | 'requestPath'>,
): string {
  const wanted = path?.startsWith('/') ? path : defaultPath(requestPath);
  const rest = wanted === '/' ? undefined : restBelow(wanted, base);
  return rest === undefined || rest === '' ? prefix : join(prefix, rest);
}

function defaultPath(requestPath: string): string {
  const last = requestPath.lastIndexOf('/');
  return last <= 0 ? '/' : requestPath.slice(0, last);
}
