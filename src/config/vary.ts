/** One part of a client's request that a poll carries and its channel is keyed by. */
export type VaryItem =
  | { readonly kind: 'cookies' }
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'header'; readonly name: string }
  /** All headers whose name fits a pattern in lower case, such as `x-csrf-token-*`. */
  | { readonly kind: 'headers'; readonly pattern: string }
  | { readonly kind: 'query'; readonly name: string }
  | { readonly kind: 'address' };

/** The forms of a `vary` entry, as a regular expression source for the JSON Schema. */
export const VARY_PATTERN = "^((cookie|query):.+|[!#$%&'*+.^_`|~0-9A-Za-z-]+)$";

/** Headers that would break what we build ourselves: conditions and content of the poll. */
const NOT_KEYED = /^(?:if-.*|content-.*|accept-encoding|cache-control|pragma|forwarded|x-real-ip)$/;

/** Headers, in lower case, in which browsers send credentials by themselves. */
export const CREDENTIALS: ReadonlySet<string> = new Set(['cookie', 'authorization']);

/** With fewer letters of its own a pattern takes headers that nobody thought of. */
const MIN_LITERALS = 3;

/**
 * Read one `vary` entry: `cookie`, `cookie:NAME`, `authorization`, any header name, a pattern of
 * header names with `*`, `query:NAME` or `ip`.
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
  if (header === 'body')
    return { problem: 'the body of a POST poll is always part of the key, leave it out' };
  if (own.has(header) || !mayVaryOn(header)) {
    return { problem: `"${entry}" is set by the proxy itself, polls cannot vary on it` };
  }
  return header.includes('*') ? parsePattern(header) : { kind: 'header', name: header };
}

/** May a poll carry a client's header of this name, given in lower case, as far as `vary` goes? */
export function mayVaryOn(header: string): boolean {
  return !NOT_KEYED.test(header);
}

/**
 * May a pattern take this header?
 *
 * SECURITY: neither what the proxy sets itself, nor what a client could steer our request with, nor
 * credentials, however the pattern is written.
 *
 * @param header - In lower case.
 * @param own - Header names, in lower case, that the proxy sets itself.
 */
export function isKeyable(header: string, own: ReadonlySet<string>): boolean {
  // Credentials have to be named: nobody sees from a pattern that it takes them.
  return !own.has(header) && mayVaryOn(header) && !CREDENTIALS.has(header);
}

function parsePattern(pattern: string): VaryItem | { problem: string } {
  if (/^\*+$/.test(pattern)) {
    return {
      problem: `"${pattern}" would make a poll for every client: name the headers that the answer depends on`,
    };
  }
  const literals = pattern.replaceAll('*', '').length;
  if (literals < MIN_LITERALS) {
    return { problem: `"${pattern}" needs at least ${MIN_LITERALS} characters besides "*"` };
  }
  return { kind: 'headers', pattern };
}
