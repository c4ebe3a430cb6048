import { formatDuration } from '../config/units.ts';
import type { PollOutcome } from '../poll/detect.ts';
import { refusalOf } from '../poll/detect.ts';
import { isHtml, isJson } from '../shared/media-type.ts';
import type { Finding } from '../shared/probe-report.ts';
import type { Answered, Reply } from './ask.ts';
import { typeOf } from './change.ts';
import { failureWords } from './failure-words.ts';

/** Whose polls are looked at, and what else is known. */
export interface AnswerContext {
  /** The endpoint's polls carry something that identifies their client. */
  readonly isPrivate: boolean;
  /** These are the polls of who has the given headers. */
  readonly isClient: boolean;
  readonly everyMs: number;
  /** What the full request with the given headers got. */
  readonly request: Reply | undefined;
  /** A line for the config by which the polls would be like that request. */
  readonly varyLine: string | undefined;
}

/** Why an answer gives no state; `undefined` when it gives one. */
export function refusalFor(reply: Reply | undefined, isPrivate: boolean): PollOutcome | undefined {
  if (reply?.kind !== 'answered') return undefined;
  return refusalOf(reply.answer, { state: undefined, missing: 0, isPrivate });
}

/** Does a reply give a state? */
export function hasState(reply: Reply | undefined): reply is Answered {
  return reply?.kind === 'answered' && refusalFor(reply, true) === undefined;
}

/** What is to be said of the answers to the polls themselves. */
export function answerFindings(polls: readonly Reply[], context: AnswerContext): Finding[] {
  const [first, second] = polls;
  if (!first) return [];
  if (!hasState(first)) return [refused(first, context)];
  return [
    ...loginPage(first, context),
    ...(second && !hasState(second) ? [unsteady(second)] : []),
    ...slow(first, context),
  ];
}

function refused(reply: Reply, context: AnswerContext): Finding {
  if (reply.kind === 'failed') {
    return { level: 'problem', code: 'no-answer', text: failureWords(reply.error).text };
  }
  const { isPrivate, isClient, request, varyLine } = context;
  const { answer } = reply;
  const refusal = refusalFor(reply, isPrivate);
  const isUnauthorized = refusal?.kind === 'ended' && refusal.word === 'unauthorized';
  const words = statusWords(reply);
  if (isPrivate && !isClient) {
    const level = isUnauthorized ? 'note' : answer.status >= 500 ? 'problem' : 'warning';
    const text = `nobody's poll: ${words}; with -H it can be seen what clients get`;
    return { level, code: codeOf(answer.status, isUnauthorized), text };
  }
  const isHelped = hasState(request);
  const code = codeOf(answer.status, isUnauthorized || isHelped);
  if (isClient) {
    return { level: 'problem', code, text: `${words}, also to who has the given headers` };
  }
  const isAboutAccess = isUnauthorized || isRedirect(answer.status) || isHelped;
  const why = isAboutAccess ? '; public polls carry no credential' : '';
  const other = isHelped ? ', and a request with the given headers is answered' : '';
  const advice = isHelped && varyLine !== undefined ? { config: varyLine } : {};
  return { level: 'problem', code, text: `${words}${why}${other}`, ...advice };
}

function codeOf(status: number, isRefused: boolean): Finding['code'] {
  if (status === 404 || status === 410) return 'gone';
  return isRefused || status === 401 || status === 403 ? 'refused' : 'status';
}

function isRedirect(status: number): boolean {
  return status >= 300 && status < 400 && status !== 304;
}

function statusWords({ answer }: Answered): string {
  const { status, headers } = answer;
  const wait = headers.get('retry-after');
  if (wait !== undefined && /^\d{1,7}$/.test(wait.trim())) {
    return `it answers ${status}, and asks to wait ${wait.trim()} s`;
  }
  if (!isRedirect(status)) return `it answers ${status}`;
  // SECURITY: without credentials and query, which may hold a token.
  const place = headers.get('location')?.replace(/[?#].*$|(?<=\/\/)[^/]*@/gs, '') ?? 'nowhere';
  return `it redirects (${status}) to ${place.slice(0, 200)}, and polls follow no redirect`;
}

/** SECURITY: looked at, never told. */
const PASSWORD_FIELD = /<input\b[^>]{0,1000}\btype\s*=\s*["']?password\b/i;

function loginPage(first: Answered, { isPrivate, isClient, request }: AnswerContext): Finding[] {
  if (!isHtml(typeOf(first.answer))) return [];
  const isExpected = isPrivate && !isClient;
  const level = isExpected ? 'note' : 'warning';
  const code = 'login-page';
  if (request?.kind === 'answered' && hasState(request) && isJson(typeOf(request.answer))) {
    const text = 'it is HTML, where the given headers get JSON: a login page, as it seems';
    return [{ level, code, text }];
  }
  if (!PASSWORD_FIELD.test(first.body.toString('latin1'))) return [];
  return [{ level, code, text: 'it has a field for a password: a login page, as it seems' }];
}

function unsteady(reply: Reply): Finding {
  const text =
    reply.kind === 'failed'
      ? `the second poll failed: ${failureWords(reply.error).text}`
      : `the second poll: ${statusWords(reply)}`;
  return { level: 'warning', code: 'status', text };
}

function slow({ tookMs }: Answered, { everyMs }: AnswerContext): Finding[] {
  if (tookMs <= everyMs) return [];
  const text = `it takes longer than the interval of ${formatDuration(everyMs)}: polls wait for each other`;
  return [{ level: 'note', code: 'slow', text }];
}
