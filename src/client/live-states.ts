/*
 * Where the two halves of the script meet: one keeps the states of live addresses current over a
 * stream, the other answers the page's requests from them.
 */

/** A live address that the page wants to follow, as the proxy named it in `Comet-Live`. */
export interface Want {
  /** Path and query, and a `#name` where it is polled by `POST`. */
  readonly address: string;
  /** The right to see it; absent where it is public. */
  readonly ticket?: string | undefined;
}

/** A whole answer of the site, as it would come over the wire. */
export interface LiveState {
  /** The event that brought it; opaque. */
  readonly id: string;
  readonly status: number;
  readonly contentType: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body: text, or base64 where `isBase64`. */
  readonly data: string;
  readonly isBase64: boolean;
}

/** What is known of one address now. */
export interface Followed {
  /** The newest state; `undefined` before the first one. */
  readonly state: LiveState | undefined;
  /**
   * The stream is open and heard of, its upstream works, and so `state` is what the site would
   * answer. While it is false requests go to the network.
   */
  readonly isLive: boolean;
  /** The last word of the address: it is followed no more. */
  readonly lastWord: { readonly event: string; readonly reason: string } | undefined;
  /** Stop following. */
  leave(): void;
}

/** The page's view of all that it follows. */
export interface LiveStates {
  /**
   * Follow an address from now on. Who follows the same address with another ticket makes the former
   * end with the reason `ticket`.
   *
   * @param onChange - Called after each change of `state`, `isLive` or `lastWord`; never within this call.
   */
  follow(want: Want, onChange: () => void): Followed;
}
