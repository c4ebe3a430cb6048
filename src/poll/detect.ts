import type { LastWord } from '../protocol/event.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { ProxyError } from '../shared/errors.ts';
import { isHtml, isJson, textEncoding } from '../shared/media-type.ts';
import type { Answer } from './answer.ts';
import type { PersonalReason } from './personal.ts';

/** The state of a resource as a poll found it. */
export interface PolledState {
  readonly status: 200 | 204;
  readonly data: Uint8Array;
  readonly encoding: 'utf8' | 'base64';
  /** Headers that describe the state and that everybody who shares it may see. */
  readonly headers: Readonly<Record<string, string>>;
}

/** There is nothing more to say to the subscribers of a channel. */
export interface Ended {
  readonly kind: 'ended';
  readonly word: LastWord;
  readonly status: number;
  /** Of `personal`: how the answer shows it. `logout`: it was no poll that found it out. */
  readonly reason?: PersonalReason | 'logout';
  /** For the log. */
  readonly detail: string;
}

/**
 * What one poll means for the channel. `ageMs` is how old the answer was when it came, where a cache
 * has said so.
 */
export type PollOutcome =
  /** The state is another one than before. */
  | { readonly kind: 'changed'; readonly state: PolledState; readonly ageMs?: number }
  /** The state is the same as before. */
  | { readonly kind: 'unchanged'; readonly ageMs?: number }
  /** Nobody can say: the state is as last known. */
  | {
      readonly kind: 'failed';
      readonly error: ProxyError;
      readonly status?: number;
      readonly retryAfterMs?: number;
    }
  | Ended;

/** What was known before a poll, as far as it changes what the answer means. */
export interface Known {
  readonly state: Pick<PolledState, 'headers'> | undefined;
  /** How many polls in a row were answered with 404 before this one. */
  readonly missing: number;
  /** The poll carries something that identifies its client. */
  readonly isPrivate: boolean;
}

/** So many 404 in a row, after the resource was there once, mean that it is gone. */
export const MISSING_UNTIL_GONE = 3;

/**
 * SECURITY: a page without the protections that the site gave it would be another page; they belong
 * to the body that they came with. Streams carry none of them.
 */
const DOCUMENT_HEADERS = [
  'content-disposition',
  'content-security-policy',
  'content-security-policy-report-only',
  'cross-origin-embedder-policy',
  'cross-origin-opener-policy',
  'permissions-policy',
  'referrer-policy',
  'refresh',
  'x-content-type-options',
  'x-frame-options',
  'x-ua-compatible',
  'x-xss-protection',
];

/**
 * SECURITY: only these may pass from one client's answer to everybody who shares the state. Never
 * `Set-Cookie`, `WWW-Authenticate`, `Clear-Site-Data` or CORS headers.
 */
const SHARED_HEADERS = [
  ...DOCUMENT_HEADERS,
  'content-type',
  'etag',
  'last-modified',
  'content-language',
  'cache-control',
  'vary',
];

/** Decide what an answer means; `undefined` when it gives the state, or says that it is the same. */
export function refusalOf(answer: Answer, known: Known): PollOutcome | undefined {
  const { status } = answer;
  if (status === 304) {
    return known.state
      ? undefined
      : failed('UPSTREAM_INVALID', answer, 'answered 304 to a poll without conditions');
  }
  if (status === 200 || status === 203 || status === 204) return typeProblem(answer, known);
  if (status === 401 || status === 403) return ended('unauthorized', answer);
  if (status === 410) return ended('gone', answer);
  if (status === 404) {
    const isGone = !known.state || known.missing + 1 >= MISSING_UNTIL_GONE;
    if (isGone) return ended('gone', answer);
  }
  // A redirect of a personal resource leads to a login page as a rule.
  if (status >= 300 && status < 400 && known.isPrivate) return ended('unauthorized', answer);
  return failed('UPSTREAM_STATUS', answer, `answered ${status}`);
}

/** The state that an answer gives, whose body has been decoded. */
export function stateOf(answer: Pick<Answer, 'status' | 'headers'>, body: Buffer): PolledState {
  const headers: Record<string, string> = {};
  for (const name of SHARED_HEADERS) {
    const value = answer.headers.get(name);
    if (value !== undefined) headers[name] = value;
  }
  const encoding = textEncoding(headers['content-type'] ?? '', body);
  return { status: answer.status === 204 ? 204 : 200, data: ownBytes(body), encoding, headers };
}

/** What is kept must not keep a much larger buffer, of which what was read is a piece. */
function ownBytes(body: Buffer): Buffer {
  if (body.buffer.byteLength <= 2 * body.length) return body;
  const own = Buffer.allocUnsafeSlow(body.length);
  body.copy(own);
  return own;
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
  const before = known.state?.headers['content-type'];
  const now = answer.headers.get('content-type') ?? '';
  if (before === undefined || before === now) return undefined;
  if (!isJson(before) || !isHtml(now)) return undefined;
  const detail = 'answered HTML where JSON was';
  if (known.isPrivate)
    return { kind: 'ended', word: 'unauthorized', status: answer.status, detail };
  return failed('UPSTREAM_TYPE', answer, detail);
}

function ended(word: LastWord, { status }: Answer): Ended {
  return { kind: 'ended', word, status, detail: `answered ${status}` };
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
