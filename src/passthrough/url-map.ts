import { mountPrefix, restBelow } from '../shared/mount-path.ts';

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
  return { authorities, origin, path: mountPrefix(pathname), prefix };
}

/** Put a rest of a path below another base: the result is a path always. */
export function join(base: string, rest: string): string {
  const path = base + rest;
  return path.startsWith('/') ? path : `/${path}`;
}

const ABSOLUTE = /^((?:(?:https?|wss?):)?\/\/)([^/?#\\]*)(.*)$/is;
const HAS_SCHEME = /^[a-z][a-z0-9+.-]*:/i;
/** A segment that stands for another one, in any spelling. */
const DOTS = /(?:^|\/)(?:\.|%2e){1,2}(?=[/?#]|$)/i;

const CLIMBS = /(?:^|\/)(?:\.|%2e){2}(?=\/|$)/i;

/** Who wrote a URL, and in which answer. */
export interface Writer {
  readonly mapping: Mapping;
  /** All upstreams; the most specific path wins. */
  readonly mappings: readonly Mapping[];
  /** Path of the request at the upstream, without query. */
  readonly requestPath: string;
  /**
   * Host and port by which the client names the site, in lower case. An upstream that was told of
   * them may use them for its own URLs.
   */
  readonly publicAuthority: string;
}

/**
 * What a URL that an upstream wrote has to be for the client: `undefined` when it stands for
 * nothing of the site, and is to stay as it is. It may be absolute, begin with its host or with its
 * path, or be relative. Bytes that need not change do not.
 */
export function toPublicReference(reference: string, writer: Writer): string | undefined {
  const { mapping, mappings, publicAuthority } = writer;
  const absolute = ABSOLUTE.exec(reference);
  if (absolute) {
    const [, head = '', authority = '', rest = ''] = absolute;
    const host = authority.toLowerCase();
    if (host !== publicAuthority) return asReference(mapPath(rest, mappings, host), writer);
    // Below the mount already: it is a URL of the site. The scheme stays in either case, or a
    // redirect to https would lead to itself for ever.
    const { prefix, path } = mapping;
    const isPublic = prefix !== path && prefix !== '' && restBelow(rest, prefix) !== undefined;
    const mapped = isPublic ? rest : mapPath(rest, [mapping], mapping.authorities[0] ?? '');
    return mapped === undefined ? undefined : head + authority + mapped;
  }
  if (HAS_SCHEME.test(reference) || reference === '') return undefined;
  const { requestPath } = writer;
  const isRelative = !reference.startsWith('/');
  // It leads to the same place from either side, unless it climbs, or the request was for the mount
  // itself, of which nobody can see whether the client wrote its last slash.
  const isDeep = requestPath.length > mapping.path.length + 1;
  if (isRelative && isDeep && !CLIMBS.test(reference.split(/[?#]/, 1)[0] ?? '')) return reference;
  const path = isRelative ? besides(requestPath, reference) : reference;
  const own = mapPath(path, [mapping], mapping.authorities[0] ?? '');
  return asReference(own ?? mapPath(path, mappings, mapping.authorities[0] ?? ''), writer);
}

/** SECURITY: a path that begins with two slashes would be read as a host. */
function asReference(path: string | undefined, { publicAuthority }: Writer): string | undefined {
  return path?.startsWith('//') ? `//${publicAuthority}${path}` : path;
}

/** A relative reference as a path (RFC 3986 §5.2.3), dots and all. */
function besides(requestPath: string, reference: string): string {
  if (/^[?#]/.test(reference)) return requestPath + reference;
  return requestPath.slice(0, requestPath.lastIndexOf('/') + 1) + reference;
}

/** The URL at the upstream of a path on the site; `undefined` when it is not below the mapping. */
export function toUpstreamUrl(path: string, mapping: Mapping): string | undefined {
  const rest = restBelow(path, mapping.prefix);
  return rest === undefined ? undefined : mapping.origin + join(mapping.path, rest);
}

function mapPath(rest: string, mappings: readonly Mapping[], host: string): string | undefined {
  // Dots mean the upstream's path; below the mount they might lead out of it.
  const path = hasDots(rest) ? withoutDots(rest) : rest;
  const found = mappings
    .filter((mapping) => mapping.authorities.includes(host))
    .filter((mapping) => restBelow(path, mapping.path) !== undefined)
    .sort((a, b) => b.path.length - a.path.length)[0];
  return found && join(found.prefix, restBelow(path, found.path) ?? '');
}

function hasDots(reference: string): boolean {
  return DOTS.test(reference.split(/[?#]/, 1)[0] ?? '');
}

function withoutDots(path: string): string {
  // Its bytes are not to be taken for characters.
  const ascii = path.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`);
  const { href, origin } = new URL(`http://upstream${ascii.startsWith('/') ? '' : '/'}${ascii}`);
  return href.slice(origin.length);
}
