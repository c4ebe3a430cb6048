/**
 * Every way in which we fail or refuse: the HTTP status it becomes, and the one sentence that a
 * client may read. Nothing else chooses a status.
 */
const TABLE = {
  BAD_REQUEST: [400, 'the request is not valid HTTP'],
  BAD_TARGET: [400, 'the request target is not a path, or an http URL of this site'],
  BAD_PATH: [
    400,
    'a path that servers read in different ways: no "..", "\\" or malformed "%", and mounts unescaped',
  ],
  BAD_HOST: [400, 'exactly one valid Host header is needed'],
  BAD_URL: [400, 'each "url" must be a path on this site, such as url=%2Fapi%2Fstatus'],
  BAD_PARAMETER: [400, 'unknown or malformed query parameter'],
  BAD_UPGRADE: [400, 'a malformed upgrade request'],
  BAD_MESSAGE: [400, 'say {"subscribe": url, "since": id} or {"unsubscribe": url}'],
  TOO_MANY_URLS: [400, 'too many URLs in this stream'],
  CROSS_SITE: [403, 'this origin may not read streams: list it in "origins"'],
  UNPROVEN_ORIGIN: [
    403,
    'a poll by POST is for pages of this site: it needs Sec-Fetch-Site: same-origin, or an Origin or Referer of this site',
  ],
  WRONG_DESTINATION: [403, 'this transport is not meant for this kind of load'],
  NOT_FOUND: [404, 'nothing is served under this path'],
  NOT_LIVE: [404, 'this URL is not a live endpoint'],
  METHOD_NOT_ALLOWED: [405, 'this method is not allowed here'],
  METHOD_NOT_PASSED_ON: [405, 'this method is not passed on'],
  TRANSPORT_NOT_ALLOWED: [406, 'this endpoint does not allow this transport'],
  NOT_TEXT: [406, 'this endpoint is no text: use a transport under /_comet/, which sends base64'],
  REQUEST_TIMEOUT: [408, 'the request was not sent in time'],
  URI_TOO_LONG: [414, 'the request target is too long'],
  EXPECTATION_FAILED: [417, 'no other expectation than "100-continue" can be met'],
  UPGRADE_REQUIRED: [426, 'this transport needs an upgrade to WebSocket'],
  TOO_MANY_FOR_ADDRESS: [429, 'too many streams from this address'],
  TOO_MANY_CHANNELS_FOR_ADDRESS: [429, 'too many live URLs from this address at once'],
  TOO_MANY_CONNECTIONS_FOR_ADDRESS: [429, 'too many connections from this address'],
  HEADERS_TOO_LARGE: [431, 'the request headers are too large or too many'],
  INTERNAL: [500, 'internal error'],
  BAD_TRANSFER_ENCODING: [501, 'only the transfer coding "chunked" is understood'],
  UPSTREAM_UNREACHABLE: [502, 'the site cannot be reached'],
  UPSTREAM_RESET: [502, 'the site closed the connection before it answered'],
  UPSTREAM_INVALID: [502, 'the site gave an invalid answer'],
  UPSTREAM_STATUS: [502, 'the site answered with an error status'],
  UPSTREAM_TYPE: [502, 'the site answered with another content type than before'],
  UPSTREAM_TOO_LARGE: [502, 'the answer is larger than "maxBody"'],
  TOO_MANY_CONNECTIONS: [503, 'too many connections'],
  TOO_MANY_STREAMS: [503, 'too many streams'],
  TOO_MANY_CHANNELS: [503, 'too many live URLs at once'],
  TOO_MANY_SUBSCRIBERS: [503, 'too many streams of this URL'],
  NOT_POLLED: [503, 'polls are about to begin anew'],
  NO_ROOM: [503, 'the memory for states and unread events is used up'],
  DRAINING: [503, 'the proxy is shutting down'],
  LOOP_DETECTED: [
    508,
    'the request has come back to this proxy: check where "site" and "comet" lead',
  ],
  UPSTREAM_TIMEOUT: [504, 'the site did not answer in time'],
  HTTP_VERSION: [505, 'only HTTP/1.0 and HTTP/1.1 are understood'],
} as const satisfies Record<string, readonly [status: number, text: string]>;

/** A stable name for a failure, shown to clients and written to the log. */
export type ErrorCode = keyof typeof TABLE;

/** A failure of the proxy or of an upstream. The code says what a client may know. */
export class ProxyError extends Error {
  /** Which failure it is. */
  readonly code: ErrorCode;

  /** @param detail - For the log only: what happened exactly. Defaults to the code's sentence. */
  constructor(code: ErrorCode, detail?: string, options?: ErrorOptions) {
    super(detail ?? TABLE[code][1], options);
    this.name = 'ProxyError';
    this.code = code;
  }
}

/** Wrap anything that was thrown, keeping it as the cause. */
export function asProxyError(error: unknown, code: ErrorCode): ProxyError {
  if (error instanceof ProxyError) return error;
  const detail = error instanceof Error ? error.message || error.name : String(error);
  return new ProxyError(code, detail, { cause: error });
}

/** The HTTP status that tells a client of this failure. */
export function errorStatus(code: ErrorCode): number {
  return TABLE[code][0];
}

/** The sentence that tells a client of this failure: no detail of the inside (CWE-209). */
export function errorText(code: ErrorCode): string {
  return TABLE[code][1];
}

/**
 * What a client may know of a failure: where its own request is wrong, what would be right. Those
 * details are texts of ours that repeat nothing of the request.
 */
export function clientText(error: ProxyError): string {
  return error.code === 'BAD_PARAMETER' ? error.message : errorText(error.code);
}

/** A refusal as data, for clients of transports that hide the status. */
export function errorData(code: ErrorCode): { code: ErrorCode; status: number; message: string } {
  return { code, status: errorStatus(code), message: errorText(code) };
}

/** All codes with status and sentence, for the documentation's test. */
export function errorTable(): readonly { code: ErrorCode; status: number; text: string }[] {
  return Object.entries(TABLE).map(([code, [status, text]]) => ({
    code: code as ErrorCode,
    status,
    text,
  }));
}
