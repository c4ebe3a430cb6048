import { createRequire } from 'node:module';
import { pino } from 'pino';

/** What the rest of the code needs of a log: fields first, then a sentence. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** How to log. */
export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'pretty' | 'json';
  /** Of several that write to the same output: stands in each line. */
  readonly process?: string;
}

/** Fields that may hold a secret wherever an object is logged whole. */
const REDACTED = ['authorization', 'cookie', '*.authorization', '*.cookie', '*["set-cookie"]'];

/**
 * Parameters whose values never reach a log, since EventSource forces tokens into URLs: of a query,
 * of a path (`;jsessionid=…`), and inside a URL that is itself a parameter, and so percent-encoded.
 *
 * SECURITY: a name holds no character that one begins after, else many of those in a URL would take
 * the square of its length.
 */
const SECRET_PARAMETER =
  /((?:[?&;]|%3f|%26|%3b)(?:[^=&?;#%]*(?:token|password|passwd|secret|signature|api[_-]?key|sess(?:ion)?(?:_?id)?)|key|sig|auth|code|sid)(?:=|%3d))(?:(?!%26|%23)[^&#])*/gi;

/** Open the application's log on standard output. */
export function createLogger(options: LoggerOptions): Logger {
  const base = options.process === undefined ? null : { process: options.process };
  const settings = { level: options.level, base, redact: REDACTED };
  if (options.format === 'json') return pino(settings, pino.destination({ dest: 1, sync: true }));
  // Loaded only when wanted: it costs start-up time, and JSON logs do not need it.
  const pretty = createRequire(import.meta.url)('pino-pretty') as (options: object) => never;
  return pino(
    settings,
    pretty({ sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss', destination: 1 }),
  );
}

/** A log that keeps nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** A URL that may be logged: values of parameters that look like secrets become `***`. */
export function redactUrl(url: string): string {
  return url.replace(SECRET_PARAMETER, '$1***');
}
