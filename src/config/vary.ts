/** One part of a client's request that a poll carries and its channel is keyed by. */
export type VaryItem =
  | { readonly kind: 'cookies' }
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string }
  | { readonly kind: 'address' };

/** The forms of a `vary` entry, as a regular expression source for the JSON Schema. */
export const VARY_PATTERN = "^((cookie|query):.+|[!#$%&'*+.^_`|~0-9A-Za-z-]+)$";

/** Headers that would break what we build ourselves: conditions and content of the poll. */
const NOT_KEYED = /^(?:if-.*|content-.*|accept-encoding|cache-control|pragma|forwarded|x-real-ip)$/;

/**
 * Read one `vary` entry: `cookie`, `cookie:NAME`, `authorization`, any header name, `query:NAME`
 * or `ip`.
 *
 * @param own - Header names, in lower case, that the proxy sets itself.
 */
export function parseVary(entry: string, own: ReadonlySet<string>): VaryItem | { problem: string } {
  const known =
    'must be "cookie", "cookie:NAME", "authorization", a header name, "query:NAME" or "ip"';
  if (!new RegExp(VARY_PATTERN).test(entry)) return { problem: known };
  const [kind, ...rest] = entry.split(':');
  const name = rest.join(':');
  if (name !== '') {
    if (kind === 'query') return { kind: 'query', name };
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name))
      return { problem: `"${name}" is not a cookie name` };
    return { kind: 'cookie', name };
  }
  const header = entry.toLowerCase();
  if (header === 'cookie') return { kind: 'cookies' };
  if (header === 'ip') return { kind: 'address' };
  if (header === 'host') return { problem: 'the Host is always part of the key, leave it out' };
  if (own.has(header) || NOT_KEYED.test(header)) {
    return { problem: `"${entry}" is set by the proxy itself, polls cannot vary on it` };
  }
  return { kind: 'header', name: header };
}
