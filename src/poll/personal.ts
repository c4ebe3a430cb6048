import { listItems } from '../shared/raw-headers.ts';
import type { Answer } from './answer.ts';

/** Why an answer is taken to be meant for one client only. */
export type PersonalReason = 'set-cookie' | 'vary' | 'cache-control';

/** What the answers of an endpoint may say and be shared all the same. */
export interface PersonalPolicy {
  /** The poll carries nothing that identifies its client. */
  readonly isPublic: boolean;
  /** What a cookie that is set means. */
  readonly setCookie: 'end' | 'drop' | 'keep';
  readonly cacheControl: 'obey' | 'ignore';
  /** Is this header of a request part of the channel's key? The name is in lower case. */
  readonly isKeyed: (header: string) => boolean;
  /** The `Cookie` lines of the poll. */
  readonly cookies: readonly string[];
}

/** Names in `Vary` that make no difference to what a poll is answered. */
const HARMLESS_VARY = new Set(['accept-encoding', 'origin']);

/**
 * Does an answer show that it was meant for one client only?
 *
 * SECURITY: such an answer is given to nobody else. Text is for the log, and holds no value.
 */
export function findPersonal(
  answer: Pick<Answer, 'headers' | 'setCookies'>,
  policy: PersonalPolicy,
): { readonly reason: PersonalReason; readonly text: string } | undefined {
  const cookie = policy.setCookie === 'end' ? newCookie(answer.setCookies, policy) : undefined;
  if (cookie !== undefined) {
    const text = `its answers set a cookie ("${cookie}"); "setCookie" says what that means`;
    return { reason: 'set-cookie', text };
  }
  const [unkeyed] = unkeyedVary(answer, policy);
  if (unkeyed !== undefined) {
    return { reason: 'vary', text: `its answers vary on "${unkeyed}", which is not in "vary"` };
  }
  if (!policy.isPublic || policy.cacheControl === 'ignore') return undefined;
  // Wherever it stands: what is malformed is meant as it reads.
  const directive = /(?<![\w-])(private|no-store)(?![\w-])/i.exec(
    answer.headers.get('cache-control') ?? '',
  )?.[1];
  return directive === undefined
    ? undefined
    : {
        reason: 'cache-control',
        text: `its answers say "${directive.toLowerCase()}"; "cacheControl": "ignore" shares them all the same`,
      };
}

/** Headers, in lower case, that an answer varies on and that are no part of the channel's key. */
export function unkeyedVary(
  { headers }: Pick<Answer, 'headers'>,
  { isKeyed }: Pick<PersonalPolicy, 'isKeyed'>,
): string[] {
  const vary = headers.get('vary');
  if (vary === undefined) return [];
  return listItems(vary.toLowerCase()).filter(
    (name) => name === '*' || !(HARMLESS_VARY.has(name) || isKeyed(name)),
  );
}

/** The name of a cookie that the answer sets, and that the poll has not sent with the same value. */
function newCookie(setCookies: readonly string[], policy: PersonalPolicy): string | undefined {
  if (setCookies.length === 0) return undefined;
  const sent = new Set(
    policy.cookies.flatMap((line) => line.split(';')).map((pair) => pair.trim()),
  );
  const line = setCookies.find((one) => !sent.has(one.split(';', 1)[0]?.trim() ?? ''));
  return line?.split('=', 1)[0]?.trim().slice(0, 100);
}
