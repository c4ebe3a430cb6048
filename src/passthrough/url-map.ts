/** One upstream's URLs, and the path under which they appear on the site. */
export interface Mapping {
  /** `host`, `host:port`: every way in which the upstream may be named, in lower case. */
  readonly authorities: readonly string[];
  /** Origin to write into headers, such as `https://push.example.net`. */
  readonly origin: string;
  /** Path of the upstream without its last slash: `''`, or `/bayeux`. */
  readonly path: string;
  /** Path on the site without its last slash: `''` is the site itself. */
  readonly prefix: string;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** The mapping of an upstream with this URL. */
export function mappingOf(url: URL, prefix: string): Mapping {
  const { protocol, hostname, port, origin, pathname } = url;
  const authorities =
    port === '' ? [hostname, `${hostname}:${DEFAULT_PORTS[protocol] ?? ''}`] : [url.host];
  return { authorities, origin, path: pathname.replace(/\/$/, ''), prefix };
}

/** What is left of a path below `base`; `undefined` when it is not below it. */
export function below(path: string, base: string): string | undefined {
  if (!path.startsWith(base)) return undefined;
  const rest = path.slice(base.length);
  return rest === '' || /^[/?#]/.test(rest) ? rest : undefined;
}

/** Put a rest of a path below another base: the result is a path always. */
export function join(base: string, rest: string): string {
  const path = base + rest;
  return path.startsWith('/') ? path : `/${path}`;
}

const ABSOLUTE = /^(?:(https?|wss?):)?\/\/([^/?#\\]*)(.*)$/is;
const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/**
 * The path on the site of a URL that an upstream wrote: absolute, with its host only, a path, or
 * relative to `requestPath` (of the upstream). Bytes that need not change do not. A URL that stands
 * for nothing of the site is `undefined`.
 *
 * @param mappings - All upstreams; the most specific path wins.
 * @param base - The upstream that wrote it.
 * @param publicAuthority - How the client names the site, in lower case. An upstream that was told
 *   of it may use it for its own URLs.
 */
export function toPublicPath(
  reference: string,
  mappings: readonly Mapping[],
  base: Mapping,
  requestPath: string,
  publicAuthority: string,
): string | undefined {
  const absolute = ABSOLUTE.exec(reference);
  if (absolute) {
    const [, , authority = '', rest = ''] = absolute;
    const host = authority.toLowerCase();
    if (host !== publicAuthority) return mapPath(rest, mappings, host);
    // Below the mount already: it is a URL of the site.
    return base.prefix !== base.path && below(rest, base.prefix) !== undefined && base.prefix !== ''
      ? rest
      : mapBelow(rest, base);
  }
  if (HAS_SCHEME.test(reference) || reference === '') return undefined;
  if (reference.startsWith('/')) {
    return mapBelow(reference, base) ?? mapPath(reference, mappings, base.authorities[0] ?? '');
  }
  // What is relative and stays below both bases leads to the same place from either.
  if (!reference.split(/[?#]/, 1)[0]?.includes('..')) return reference;
  const resolved = new URL(reference, `http://upstream${requestPath}`);
  return mapBelow(resolved.pathname + resolved.search + resolved.hash, base);
}

/** The URL at the upstream of a path on the site; `undefined` when it is not below the mapping. */
export function toUpstreamUrl(path: string, mapping: Mapping): string | undefined {
  const rest = below(path, mapping.prefix);
  return rest === undefined ? undefined : mapping.origin + join(mapping.path, rest);
}

function mapPath(rest: string, mappings: readonly Mapping[], host: string): string | undefined {
  const found = mappings
    .filter((mapping) => mapping.authorities.includes(host))
    .filter((mapping) => below(rest, mapping.path) !== undefined)
    .sort((a, b) => b.path.length - a.path.length)[0];
  return found && mapBelow(rest, found);
}

function mapBelow(path: string, mapping: Mapping): string | undefined {
  const rest = below(path, mapping.path);
  return rest === undefined ? undefined : join(mapping.prefix, rest);
}
