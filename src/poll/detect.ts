import type { ErrorCode } from '../shared/errors.ts';
import { ProxyError } from '../shared/errors.ts';
import { isHtml, isJson, textEncoding } from '../shared/media-type.ts';
import type { Answer } from './fetch.ts';

/** The state of a resource as a poll found it. */
export interface PolledState {
  readonly status: 200 | 204;
  readonly data: Uint8Array;
  readonly encoding: 'utf8' | 'base64';
  /** Headers that describe the state and that everybody who shares it may see. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What one poll means for the channel. */
export type PollOutcome =
  /** The state is another one than before. */
  | { readonly kind: 'changed'; readonly state: PolledState; readonly setsCookie: boolean }
  /** The state is the same as before. */
  | { readonly kind: 'unchanged'; readonly setsCookie: boolean }
  /** Nobody can say: the state is as last known. */
  | {
      readonly kind: 'failed';
      readonly error: ProxyError;
      readonly status?: number;
      readonly retryAfterMs?: number;
    }
  /** There is nothing more to say to these subscribers. */
  | {
      readonly kind: 'ended';
      readonly word: 'unauthorized' | 'gone';
      readonly status: number;
      readonly detail: string;
    };

/** What was known before the poll. */
export interface Known {
  readonly state: Pick<PolledState, 'data' | 'headers'> | undefined;
  /** How many polls in a row were answered with 404 before this one. */
  readonly missing: number;
  /** The poll carries something that identifies its client. */
  readonly isPrivate: boolean;
}

/** So many 404 in a row, after the resource was there once, mean that it is gone. */
export const MISSING_UNTIL_GONE = 3;

/**
 * SECURITY: only these may pass from one client's answer to everybody who shares the state. Never
 * `Set-Cookie`, `WWW-Authenticate`, CORS or CSP headers.
 */
const SHARED_HEADERS = [
  'content-type',
  'etag',
  'last-modified',
  'content-language',
  'cache-control',
  'vary',
];

/** Decide what an answer means. */
export function interpret(answer: Answer, known: Known): PollOutcome {
  const { status, headers } = answer;
  const setsCookie = headers.has('set-cookie');
  if (status === 304) {
    return known.state
      ? { kind: 'unchanged', setsCookie }
      : failed('UPSTREAM_INVALID', answer, 'answered 304 to a poll without conditions');
  }
  if (status === 200 || status === 203 || status === 204) {
    return typeProblem(answer, known) ?? compare(answer, known, setsCookie);
  }
  if (status === 401 || status === 403) return ended('unauthorized', answer);
  if (status === 410) return ended('gone', answer);
  if (status === 404 && (!known.state || known.missing + 1 >= MISSING_UNTIL_GONE)) {
    return ended('gone', answer);
  }
  // A redirect of a personal resource leads to a login page as a rule.
  if (status >= 300 && status < 400 && known.isPrivate) return ended('unauthorized', answer);
  return failed('UPSTREAM_STATUS', answer, `answered ${status}`);
}

/** Read `Retry-After` (RFC 9110 §10.2.3), seconds or a date, as milliseconds from `nowMs`. */
export function retryAfterMs(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,7}$/.test(value.trim())) return Number(value) * 1_000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** A page of HTML where JSON was is a login form or an error page, not the resource. */
function typeProblem(answer: Answer, known: Known): PollOutcome | undefined {
  const before = known.state?.headers['content-type'] ?? '';
  const now = answer.headers.get('content-type') ?? '';
  if (!isJson(before) || !isHtml(now)) return undefined;
  const detail = 'answered HTML where JSON was';
  if (known.isPrivate)
    return { kind: 'ended', word: 'unauthorized', status: answer.status, detail };
  return failed('UPSTREAM_TYPE', answer, detail);
}

function compare(answer: Answer, known: Known, setsCookie: boolean): PollOutcome {
  const headers: Record<string, string> = {};
  for (const name of SHARED_HEADERS) {
    const value = answer.headers.get(name);
    if (value !== undefined) headers[name] = value;
  }
  const before = known.state;
  const isSame =
    before !== undefined &&
    before.headers['content-type'] === headers['content-type'] &&
    answer.body.equals(before.data);
  if (isSame) return { kind: 'unchanged', setsCookie };
  const encoding = textEncoding(headers['content-type'] ?? '', answer.body);
  const status = answer.status === 204 ? 204 : 200;
  const state: PolledState = { status, data: answer.body, encoding, headers };
  return { kind: 'changed', state, setsCookie };
}

function ended(word: 'unauthorized' | 'gone', answer: Answer): PollOutcome {
  return { kind: 'ended', word, status: answer.status, detail: `answered ${answer.status}` };
}

function failed(code: ErrorCode, answer: Answer, detail: string): PollOutcome {
  const wait = retryAfterMs(answer.headers.get('retry-after'), Date.now());
  return {
    kind: 'failed',
    error: new ProxyError(code, detail),
    status: answer.status,
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  };
}
