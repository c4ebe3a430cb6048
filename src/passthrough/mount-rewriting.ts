import type { Downstream } from '../shared/downstream.ts';
import { ownOrigin } from '../shared/downstream.ts';
import { headerValues } from '../shared/raw-headers.ts';
import { mapPolicy } from './content-security-policy.ts';
import type { CookieSpace } from './cookies.ts';
import { cookiesForUpstream, setCookieForClient } from './cookies.ts';
import type { Rewriting } from './rewriting.ts';
import { mapHeaders } from './rewriting.ts';
import { mapLink, mapRefresh } from './url-headers.ts';
import type { Mapping } from './url-map.ts';
import { toPublicReference, toUpstreamUrl } from './url-map.ts';

/** One exchange with an upstream that has another name than the one the client knows. */
export interface MountExchange {
  readonly downstream: Downstream;
  /** The upstream that is asked. */
  readonly mapping: Mapping;
  /** All upstreams, for URLs that lead from one to another. */
  readonly mappings: readonly Mapping[];
  /** Path and query at the upstream. */
  readonly requestTarget: string;
  /** The upstream gets the client's own Host, Origin and Referer. */
  readonly preserveHost: boolean;
  /** Basic and Digest credentials are passed on. */
  readonly passesCredentials: boolean;
  /** Whose cookies are whose; `undefined` for the site, whose cookies are just the site's. */
  readonly cookies: CookieSpace | undefined;
}

/**
 * Headers of a Comet origin that would speak for the whole site: who may read it, how browsers
 * reach and store it. From a server of somebody else's none of it may pass.
 */
const SITE_POLICY =
  /^(?:access-control-.*|strict-transport-security|public-key-pins(?:-report-only)?|expect-ct|alt-svc|alt-used|clear-site-data|service-worker-allowed|origin-agent-cluster|cross-origin-opener-policy(?:-report-only)?|cross-origin-embedder-policy(?:-report-only)?|permissions-policy|document-policy|referrer-policy|nel|report-to|reporting-endpoints|speculation-rules|use-as-dictionary|accept-ch|critical-ch|set-login|attribution-reporting-.*|observe-browsing-topics|x-powered-by)$/;

/** Translate what a client and an upstream say of URLs, origins and cookies. */
export function mountRewriting(exchange: MountExchange): Rewriting {
  const { downstream, mapping, mappings, preserveHost, cookies } = exchange;
  const requestPath = exchange.requestTarget.split('?', 1)[0] ?? '/';
  const isEncrypted = downstream.scheme === 'https';
  const writer = { mapping, mappings, requestPath, publicAuthority: downstream.host };
  const toPublic = (url: string) => toPublicReference(url, writer);

  function requestHeader(name: string, value: string): string | undefined {
    if (name === 'cookie' && cookies) return undefined; // joined below
    // SECURITY: a browser that has logged in to the site sends its password to all paths of it. What
    // a script adds by itself (Bearer, …) is meant for the one it sends it to.
    const isOfBrowser =
      name === 'authorization' && /^\s*(?:basic|digest|ntlm|negotiate)\b/i.test(value);
    if (isOfBrowser && !exchange.passesCredentials) return undefined;
    if (preserveHost) return value;
    if (name === 'origin') return upstreamOrigin(value, downstream, mapping);
    if (name === 'referer') return upstreamReferer(value, downstream, mapping);
    return value;
  }

  function responseHeader(name: string, value: string): string | undefined {
    switch (name) {
      case 'location':
      case 'content-location':
      case 'sourcemap':
      case 'x-sourcemap':
        return toPublic(value) ?? value;
      case 'refresh':
        return mapRefresh(value, toPublic);
      case 'link':
        return mapLink(value, toPublic, mapping.authorities);
      case 'content-security-policy':
      case 'content-security-policy-report-only':
        return mapPolicy(
          value,
          mappings.flatMap(({ authorities }) => authorities),
        );
      case 'set-cookie':
        return cookies
          ? setCookieForClient(value, { ...cookies, isEncrypted, requestPath })
          : value;
      default:
        // SECURITY: a Comet origin does not speak for the site.
        return cookies && SITE_POLICY.test(name) ? undefined : value;
    }
  }

  return {
    request(headers) {
      const mapped = mapHeaders(headers, requestHeader);
      if (!cookies) return mapped;
      const all = headerValues(headers, 'cookie').join('; ');
      const cookie = cookiesForUpstream(all, cookies);
      return cookie === undefined ? mapped : [...mapped, 'Cookie', cookie];
    },
    response: ({ headers }) => ({ headers: mapHeaders(headers, responseHeader), body: [] }),
  };
}

/** Only our own becomes the upstream's: of another one it is to judge for itself. */
function upstreamOrigin(value: string, downstream: Downstream, mapping: Mapping): string {
  return value.toLowerCase() === ownOrigin(downstream) ? mapping.origin : value;
}

/** As browsers tell another origin where a request comes from: below the mount all, else the origin. */
function upstreamReferer(value: string, downstream: Downstream, mapping: Mapping): string {
  const own = ownOrigin(downstream);
  if (value.slice(0, own.length).toLowerCase() !== own) return value;
  const path = value.slice(own.length);
  if (path !== '' && !path.startsWith('/')) return value;
  return toUpstreamUrl(path, mapping) ?? `${mapping.origin}/`;
}
