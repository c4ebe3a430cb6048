/** Everything under this path is ours and never reaches the site. */
export const OWN_PREFIX = '/_comet/';

/** Names of the transports, as they stand in URLs and in an endpoint's `transports`. */
export const TRANSPORT_NAMES = [
  'sse',
  'ws',
  'stream',
  'multipart',
  'poll',
  'jsonp',
  'iframe',
] as const;

/** The name of a transport. */
export type TransportName = (typeof TRANSPORT_NAMES)[number];

/** Names of the query parameters of `/_comet/<transport>`. */
export const PARAMETERS = {
  /** An endpoint's URL: path and query, or absolute under our own origin. May be repeated. */
  url: 'url',
  /** The cursor for the `url` before it. */
  since: 'since',
  /** How the `url` before it is polled: `GET`, or `POST` with a body. */
  method: 'method',
  /** The body with which the `url` before it is polled, by `POST`. */
  body: 'body',
  /** The type of the `body` before it. */
  contentType: 'contentType',
  /** Bytes of padding before the first event, for browsers that show nothing before. */
  padding: 'padding',
  /** Bytes after which a stream ends, for clients that keep everything that they have read. */
  maxBytes: 'maxBytes',
  /** Seconds for which a long poll waits for an event. */
  wait: 'wait',
  /** The function that a JSONP answer calls. */
  callback: 'callback',
  /** `mixed`: multipart for a script's eyes, and not for an image element. */
  type: 'type',
  /** `direct`: the forever iframe for browsers without `postMessage`. */
  form: 'form',
  /** `answer`: snapshots with everything that an answer has, for the browser script. */
  answer: 'form',
  /** `1`: heartbeats that scripts can see. */
  beat: 'beat',
  /** The right to see the `url` before it, as the proxy has given it. */
  ticket: 'ticket',
  /** The number that tells a page's forever iframes apart. */
  frame: 'frame',
  /** The origin of the page around a forever iframe, if it is not our own. */
  origin: 'origin',
} as const;
