/** Who sent a request, as far as it can be believed. */
export interface Downstream {
  /** The client's address: the peer's, or the one that trusted proxies vouch for. */
  readonly address: string;
  /** The address at the other end of the connection. */
  readonly peer: string;
  /** The scheme that the client used. */
  readonly scheme: 'http' | 'https';
  /** The host and port that the client asked for, as it wrote them. */
  readonly authority: string;
  /** The same in lower case, for comparing. */
  readonly host: string;
  /** True when the peer is listed in `trustedProxies`. */
  readonly trusted: boolean;
}

/** The origin that the client sees the site under, for instance `https://shop.example`. */
export function ownOrigin(downstream: Downstream): string {
  return `${downstream.scheme}://${downstream.host}`;
}
