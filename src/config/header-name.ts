/** Names that a `headers`, `vary` or `handshake` entry cannot take: framing and routing are ours. */
export const OWN_HEADERS: ReadonlySet<string> = new Set(
  `accept-encoding connection content-length expect host http2-settings keep-alive proxy-authorization
   proxy-connection range te trailer transfer-encoding upgrade via x-forwarded-for x-forwarded-host
   x-forwarded-proto`.split(/\s+/),
);

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Read the name of a header that the config may set; it stays as it is written. */
export function readHeaderName(value: string): string | { problem: string } {
  if (!TOKEN.test(value)) return { problem: `"${value}" is not a header name` };
  return OWN_HEADERS.has(value.toLowerCase())
    ? { problem: `"${value}" is set by the proxy itself` }
    : value;
}
