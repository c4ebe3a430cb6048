import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Downstream } from '../shared/downstream.ts';
import type { Logger } from '../shared/logger.ts';
import { redactUrl } from '../shared/logger.ts';
import { http2StreamOf } from '../shared/truncate.ts';

/**
 * Notes one request; call it when the request arrives.
 *
 * @param downstream - Who sent it, asked for when the answer is over; unknown of a refused request.
 */
export type AccessLog = (
  req: IncomingMessage,
  res: ServerResponse,
  downstream: () => Downstream | undefined,
) => void;

/** What an access log needs. */
export interface AccessLogOptions {
  readonly format: false | 'combined' | 'json';
  readonly log: Logger;
  /** Where lines of the combined format go. */
  readonly writeLine: (line: string) => void;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/**
 * One line per answered request, written when the answer is over. `combined` is the format of
 * Apache and nginx; bytes are those on the wire, head included, since streams bypass the counter
 * of bodies.
 */
export function createAccessLog({ format, log, writeLine }: AccessLogOptions): AccessLog {
  if (format === false) return () => undefined;
  return (req, res, downstream) => {
    const { socket } = req;
    const startedAt = performance.now();
    // Many answers share an HTTP/2 connection, and nobody counts them apart.
    const isCounted = http2StreamOf(req) === undefined;
    const bytesBefore = socket.bytesWritten;
    res.once('close', () => {
      const entry = {
        address: downstream()?.address ?? socket.remoteAddress ?? '-',
        method: req.method ?? '-',
        url: redactUrl(req.url ?? '-'),
        version: req.httpVersion,
        status: res.statusCode,
        bytes: isCounted ? socket.bytesWritten - bytesBefore : undefined,
        ms: Math.round(performance.now() - startedAt),
        referer: req.headers.referer && redactUrl(req.headers.referer),
        userAgent: req.headers['user-agent'],
      };
      if (format === 'json') log.info(entry, 'request');
      else writeLine(combinedLine(entry, new Date()));
    });
  };
}

/** What one line says. */
export interface AccessEntry {
  readonly address: string;
  readonly method: string;
  readonly url: string;
  readonly version: string;
  readonly status: number;
  /** Unknown over HTTP/2. */
  readonly bytes: number | undefined;
  readonly referer?: string | undefined;
  readonly userAgent?: string | undefined;
}

/** The combined log format. SECURITY: quotes and control characters cannot leave their field. */
export function combinedLine(entry: AccessEntry, date: Date): string {
  const quoted = (text: string | undefined) => `"${escapeField(text ?? '-')}"`;
  const request = `${entry.method} ${entry.url} HTTP/${entry.version}`;
  return [
    entry.address,
    '- -',
    `[${logDate(date)}]`,
    quoted(request),
    entry.status,
    entry.bytes ?? '-',
    quoted(entry.referer),
    quoted(entry.userAgent),
  ].join(' ');
}

function escapeField(text: string): string {
  return text.replace(/["\\]|[^\x20-\x7e]/g, (char) => {
    const code = char.charCodeAt(0);
    return char === '"' || char === '\\' ? `\\${char}` : `\\x${code.toString(16).padStart(2, '0')}`;
  });
}

function logDate(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  return `${day}:${time} +0000`;
}
