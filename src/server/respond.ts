import type { IncomingMessage, ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ErrorCode, ProxyError } from '../shared/errors.ts';
import { clientText, errorStatus, errorText } from '../shared/errors.ts';
import { hasBody } from '../shared/raw-headers.ts';
import { truncate } from '../shared/truncate.ts';

/** Statuses after which a client may try again soon. */
const RETRY_AFTER_SECONDS: Readonly<Record<number, number>> = { 429: 10, 503: 5 };

/** Methods that reach the site. */
export const PASSED_ON = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

/** What some statuses must name (RFC 9110 §15.5.6, §15.5.22). */
const EXTRA_HEADERS: { readonly [code in ErrorCode]?: Readonly<Record<string, string>> } = {
  METHOD_NOT_ALLOWED: { allow: 'GET, OPTIONS' },
  METHOD_NOT_PASSED_ON: { allow: PASSED_ON },
  UPGRADE_REQUIRED: { upgrade: 'websocket', connection: 'upgrade' },
};

/**
 * Answer with a failure: its status, its code and one sentence. The detail belongs in the log.
 *
 * When the head has left already the connection is cut, so that the client sees a truncated answer
 * and not a whole one.
 */
export function respondWithError(
  res: ServerResponse,
  error: ProxyError,
  after: 'go on' | 'close' = 'go on',
): void {
  if (res.headersSent) return truncate(res);
  const { status, headers, body } = errorAnswer(error.code, clientText(error));
  // Who has fallen silent within a body is not waited for.
  const goesOn = after === 'go on' && error.code !== 'REQUEST_TIMEOUT' && isRead(res.req);
  const connection = goesOn ? {} : { connection: 'close' };
  // The reason of an answer that could not be passed on may be there already.
  res.statusMessage = STATUS_CODES[status] ?? '';
  res.writeHead(status, { ...headers, ...connection });
  res.end(res.req.method === 'HEAD' ? undefined : body);
}

/** Is there nothing left of a request that would be read as the next one, or is it being read? */
export function isRead(req: IncomingMessage): boolean {
  return req.complete || !hasBody(req.rawHeaders) || req.readableFlowing === true;
}

/** The parts of an error's answer. */
export function errorAnswer(
  code: ErrorCode,
  text: string = errorText(code),
): {
  status: number;
  headers: Record<string, string>;
  body: string;
} {
  const status = errorStatus(code);
  const body = `${code}: ${text}\n`;
  const retryAfter = RETRY_AFTER_SECONDS[status];
  return {
    status,
    body,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(Buffer.byteLength(body)),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
      ...EXTRA_HEADERS[code],
    },
  };
}

/** Answer on a connection that has no response object, and end it. */
export function refuse(socket: Duplex, code: ErrorCode): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = errorAnswer(code);
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([k, v]) => `${k}: ${v}`);
  socket.end(`HTTP/1.1 ${status} ${code}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
  socket.once('finish', () => socket.destroy());
}
