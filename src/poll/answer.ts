/** What the upstream answered. */
export interface Answer {
  readonly status: number;
  /** The value of each header, names in lower case: lists joined, of others the first line. */
  readonly headers: ReadonlyMap<string, string>;
  /** The lines of `Set-Cookie`. */
  readonly setCookies: readonly string[];
  /** As it came, see `decode`; empty when the status has no body. */
  readonly body: Buffer;
}
