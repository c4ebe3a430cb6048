import type { RequestField } from './request-fields.ts';

/** One request with its answer, as a log, a recording or the running proxy tells of it. */
export interface Seen {
  /** When it was sent, in milliseconds since 1970. */
  readonly atMs: number;
  /** How exact that is: 1000 in logs with whole seconds. */
  readonly resolutionMs: number;
  /** Whoever has the timer: one browser, as far as it can be told. */
  readonly client: string;
  /** In lower case; empty where it is not known. */
  readonly host: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Of the body; `undefined` when it is not known. */
  readonly fields?: readonly RequestField[] | undefined;
  readonly status: number;
  readonly durationMs?: number | undefined;
  readonly bytes?: number | undefined;
  /** Whatever is the same only for the same answer: a validator, a hash. */
  readonly content?: string | undefined;
  readonly kind: SeenKind;
  /** Path of the page that sent it, without its query. */
  readonly page?: string | undefined;
  readonly sender: Sender;
  /** What the headers say; `undefined` when nobody wrote them down. */
  readonly headers?: SeenHeaders | undefined;
  /** It is an endpoint of the running proxy's. */
  readonly isLive?: boolean;
  /** How many requests it stands for, where not all are looked at. */
  readonly standsFor?: number;
}

/** What was asked for, as far as it can be told. */
export type SeenKind = 'page' | 'image' | 'asset' | 'push' | 'data' | 'unknown';

/** Who asks: a page for sure, a browser by its name, a program that watches or walks the site, another program, or nobody knows. */
export type Sender = 'page' | 'browser' | 'robot' | 'program' | 'unknown';

/** Headers of a request and of its answer by which answers are seen to be personal. */
export interface SeenHeaders {
  /** Names of cookies that were sent: all, or those that look like a session. */
  readonly cookies: readonly string[];
  readonly hasCookies: boolean;
  readonly hasAuthorization: boolean;
  /** Whoever wrote them down may have left out credentials, as Chrome does. */
  readonly mayLackCredentials: boolean;
  readonly setsCookie: boolean;
  /** `private` or `no-store` of `Cache-Control`, if there is one. */
  readonly cacheControl: 'private' | 'no-store' | undefined;
  readonly variesOnCredentials: boolean;
}

const ROBOT =
  /bot\b|bot\/|crawl|spider|slurp|kube-probe|healthcheck|health-check|googlehc|pingdom|uptime|statuscake|prometheus|blackbox|zabbix|nagios|check_http|datadog|site24x7|newrelic|monit\/|curl\/|wget\/|python-requests|go-http-client|libwww|feedly|feedfetcher|headlesschrome-lighthouse/i;

/** Who a `User-Agent` is. */
export function senderOf(userAgent: string | undefined): Sender {
  if (userAgent === undefined || userAgent === '' || userAgent === '-') return 'unknown';
  if (ROBOT.test(userAgent)) return 'robot';
  return /^(?:Mozilla|Opera)\//.test(userAgent) ? 'browser' : 'program';
}

/** The path of a page that a `Referer` names. */
export function pageOf(referer: string | undefined): string | undefined {
  if (referer === undefined) return undefined;
  const [, path] = /^https?:\/\/[^/?#]*(\/[^?#]*)?/i.exec(referer) ?? [];
  if (path !== undefined) return path;
  return /^https?:/i.test(referer) ? '/' : undefined;
}
