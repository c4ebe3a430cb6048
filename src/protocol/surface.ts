/** Everything under this path is ours and never reaches the site. */
export const OWN_PREFIX = '/_comet/';

/** Names of the transports, as they stand in URLs and in an endpoint's `transports`. */
export const TRANSPORT_NAMES = ['sse', 'stream'] as const;

/** The name of a transport. */
export type TransportName = (typeof TRANSPORT_NAMES)[number];

/** Names of the query parameters of `/_comet/<transport>`. */
export const PARAMETERS = {
  /** An endpoint's URL: path and query, or absolute under our own origin. May be repeated. */
  url: 'url',
  /** The cursor for the `url` before it. */
  since: 'since',
  /** Bytes of padding before the first event, for old XMLHttpRequest implementations. */
  padding: 'padding',
} as const;
