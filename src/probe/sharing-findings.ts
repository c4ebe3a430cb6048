import type { Answer } from '../poll/answer.ts';
import type { PersonalPolicy, PersonalReason } from '../poll/personal.ts';
import { findPersonal } from '../poll/personal.ts';
import type { Finding } from '../shared/probe-report.ts';
import { hasState } from './answer-findings.ts';
import type { Answered, Reply } from './ask.ts';
import type { Change } from './change.ts';
import { isSameState } from './change.ts';
import type { Observed } from './observe.ts';

/** What an answer is judged by. */
export interface SharingContext {
  readonly isPrivate: boolean;
  /** Which key of the config says who is who. */
  readonly key: 'vary' | 'authorizedBy';
  readonly policy: PersonalPolicy;
  readonly change: Pick<Change, 'comparison' | 'isNamed'>;
  /** What of the given headers polls do not carry, as entries of `vary`. */
  readonly unkeyed: readonly string[];
  /** `vary` with what the answers say that they vary on, and also with what polls do not carry. */
  readonly varyLines: Readonly<Record<'said' | 'needed', string | undefined>>;
}

/** Who can share the answers, as far as they show it. */
export function sharingFindings(observed: Observed, context: SharingContext): Finding[] {
  const isClient = observed.client.length > 0;
  const polls = isClient ? observed.client : observed.nobody;
  const states = polls.filter(hasState);
  if (states.length === 0) return [];
  const asked = fullRequest(states, observed, context);
  const isAnotherOne = asked.some(({ code }) => code === 'depends-on-who-asks');
  const line = context.varyLines[isAnotherOne ? 'needed' : 'said'];
  const personal = states.flatMap(({ answer }) =>
    personalFindings(answer, { ...context, isClient, isAnotherOne, varyLine: line }),
  );
  const seen = new Map(personal.map((finding) => [finding.code, finding]));
  return [
    ...seen.values(),
    ...asked,
    ...(isClient ? comparedWithNobody(states, observed, context) : []),
  ];
}

function personalFindings(
  answer: Answer,
  {
    isPrivate,
    isClient,
    policy,
    varyLine,
    isAnotherOne,
  }: Pick<SharingContext, 'isPrivate' | 'policy'> & {
    readonly isClient: boolean;
    readonly varyLine: string | undefined;
    readonly isAnotherOne: boolean;
  },
): Finding[] {
  return allReasons(answer, policy).map(({ reason, text }): Finding => {
    // Who comes without a session gets one, as a rule.
    if (reason === 'set-cookie' && isPrivate && !isClient) {
      return { level: 'note', code: reason, text: `${text}; with a session (-H) they may not` };
    }
    const told = { level: 'warning', code: reason } as const;
    if (reason === 'vary') return { ...told, text, ...(varyLine ? { config: varyLine } : {}) };
    // SECURITY: nothing is to be shared that was seen to depend on who asks.
    if (isAnotherOne) return { ...told, text };
    return {
      ...told,
      text: `${text}; where all is for everybody:`,
      config: SHARED_ALL_THE_SAME[reason],
    };
  });
}

const SHARED_ALL_THE_SAME: Readonly<Record<Exclude<PersonalReason, 'vary'>, string>> = {
  'set-cookie': '"setCookie": "drop"',
  'cache-control': '"cacheControl": "ignore"',
};

/** Every way in which an answer shows that it is personal, not only the first. */
function allReasons(
  { headers, setCookies }: Answer,
  policy: PersonalPolicy,
): NonNullable<ReturnType<typeof findPersonal>>[] {
  const only = (...names: string[]) =>
    new Map([...headers].filter(([name]) => names.includes(name)));
  return [
    findPersonal({ headers: only(), setCookies }, policy),
    findPersonal({ headers: only('vary'), setCookies: [] }, policy),
    findPersonal({ headers: only('cache-control'), setCookies: [] }, policy),
  ].filter((found) => found !== undefined);
}

/** Does the full request get something else than the polls for who sends it? */
function fullRequest(
  states: readonly Answered[],
  { request: [request] }: Observed,
  { change, unkeyed, varyLines }: SharingContext,
): Finding[] {
  if (!request || unkeyed.length === 0) return [];
  const parts = unkeyed.join(', ');
  const refusal = refusalWords(request);
  if (!hasState(request)) {
    const text = `a request with the given headers ${refusal}, and the poll has an answer`;
    return [{ level: 'warning', code: 'depends-on-who-asks', text }];
  }
  if (isLikeOneOf(request, states, change)) {
    const text = `the same with and without ${parts}, which polls do not carry`;
    return [{ level: 'note', code: 'same-for-all', text }];
  }
  if (!change.isNamed) return [untold(`whether it depends on ${parts} too`)];
  const which = unkeyed.length === 1 ? parts : `one of ${parts}`;
  const text = `it depends on who asks: it is another one with ${which}, which polls do not carry`;
  const config = varyLines.needed === undefined ? {} : { config: varyLines.needed };
  return [{ level: 'warning', code: 'depends-on-who-asks', text, ...config }];
}

function comparedWithNobody(
  states: readonly Answered[],
  { nobody }: Observed,
  { change, key }: SharingContext,
): Finding[] {
  const others = nobody.filter(hasState);
  const code = 'varies-as-said';
  if (others.length === 0) {
    const text = `nobody ${refusalWords(nobody[0])}: it depends on who asks, as "${key}" says`;
    return [{ level: 'note', code, text }];
  }
  if (states.some((state) => isLikeOneOf(state, others, change))) {
    const how = key === 'vary' ? '"vary": [] lets all share one poll' : `"${key}" is not needed`;
    const text = `the same for nobody and with the given headers: if it is so for everybody, ${how}`;
    return [{ level: 'note', code: 'same-for-all', text }];
  }
  if (!change.isNamed) return [untold('whether it depends on who asks')];
  return [{ level: 'note', code, text: `it depends on who asks, as "${key}" says` }];
}

function refusalWords(reply: Reply | undefined): string {
  return reply?.kind === 'answered' ? `is refused (${reply.answer.status})` : 'gets no answer';
}

function untold(what: string): Finding {
  const text = `${what} cannot be told: it differs from poll to poll`;
  return { level: 'note', code: 'who-asks-untried', text };
}

function isLikeOneOf(
  one: Answered,
  others: readonly Answered[],
  { comparison }: Pick<Change, 'comparison'>,
): boolean {
  return others.some((other) => isSameState(one, other, comparison));
}
