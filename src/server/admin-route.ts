import type { ProxyError } from '../shared/errors.ts';
import { clientText, errorStatus } from '../shared/errors.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';

/** One thing that the admin listener can be asked for. */
export interface AdminRoute {
  /** `GET` is for `HEAD` too. */
  readonly method: 'GET' | 'POST';
  /** The whole path, compared byte for byte. */
  readonly path: string;
  /**
   * Needs a token even where the config sets none, unless it is asked for by a unix socket. Where
   * one is set every route needs it.
   */
  readonly needsToken: boolean;
  /** Longest body that the handler reads; 0 ignores bodies. */
  readonly maxBodyBytes: number;
  /** @throws {AdminError | ProxyError} when it refuses. Anything else is a bug, and told as such. */
  readonly handler: (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>;
}

/** A request that may be answered: who sent it was checked. */
export interface AdminRequest {
  readonly query: URLSearchParams;
  readonly rawHeaders: RawHeaders;
  /** Empty where the route ignores bodies. */
  readonly body: Buffer;
}

/** An answer; `content-type` is among the headers. */
export interface AdminAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An answer with a value as JSON. */
export function jsonAnswer(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): AdminAnswer {
  const body = `${JSON.stringify(value)}\n`;
  return { status, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** Refusals that only this listener has; those of the site's clients are in `shared/errors.ts`. */
export const ADMIN_ERRORS = {
  BAD_BODY: [400, 'the body must be JSON: {"url": …, "headers"?: [[name, value], …], …}'],
  UNAUTHORIZED: [401, 'send the token of "admin" as "Authorization: Bearer …"'],
  HOST_NOT_LOCAL: [403, 'the Host must be an IP address or "localhost"'],
  FROM_A_PAGE: [403, 'pages in browsers may not use this listener'],
  FROM_A_PROXY: [403, 'what comes through a proxy needs a token: set "token" of "admin"'],
  NO_TOKEN_SET: [403, 'this needs a token: set "token" of "admin" in the config, and send it'],
  BODY_TOO_LARGE: [413, 'the body is too large'],
  NOT_JSON: [415, 'the body must be sent as "Content-Type: application/json"'],
  TOO_MANY_REFRESHES: [429, 'too many refreshes at once'],
} as const satisfies Record<string, readonly [status: number, text: string]>;

/** Why this listener refuses. */
export type AdminErrorCode = keyof typeof ADMIN_ERRORS;

/** A refusal of the admin listener. */
export class AdminError extends Error {
  readonly code: AdminErrorCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: AdminErrorCode, headers: Readonly<Record<string, string>> = {}) {
    super(ADMIN_ERRORS[code][1]);
    this.name = 'AdminError';
    this.code = code;
    this.headers = headers;
  }
}

/** Tell of a refusal as JSON: its code, status and one sentence. */
export function refusalAnswer(
  error: AdminError | ProxyError,
  headers: Readonly<Record<string, string>> = {},
): AdminAnswer {
  if (error instanceof AdminError) {
    const { code, message } = error;
    const status = ADMIN_ERRORS[code][0];
    return jsonAnswer(status, { code, status, message }, { ...error.headers, ...headers });
  }
  const { code } = error;
  const status = errorStatus(code);
  return jsonAnswer(status, { code, status, message: clientText(error) }, headers);
}
