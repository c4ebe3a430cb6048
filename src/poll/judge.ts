import { hash } from 'node:crypto';
import type { Clock } from '../shared/clock.ts';
import { essence, isJson } from '../shared/media-type.ts';
import type { Answer } from './answer.ts';
import { contentCoding, decode } from './decode.ts';
import type { PolledState, PollOutcome } from './detect.ts';
import { refusalOf, stateOf } from './detect.ts';
import type { Comparison } from './fingerprint.ts';
import { fingerprint } from './fingerprint.ts';
import type { PersonalPolicy } from './personal.ts';
import { findPersonal } from './personal.ts';

/** The state that answers are compared with. */
export type Retained = Pick<PolledState, 'data' | 'headers'>;

/** What a judge goes by. */
export interface JudgeOptions {
  readonly clock: Clock;
  /** The poll carries something that identifies its client. */
  readonly isPrivate: boolean;
  readonly personal: PersonalPolicy;
  readonly comparison: Comparison;
  /** Longest time for which changes that do not count are kept back. */
  readonly ignoreForMs: number;
  /** Largest body, decompressed. */
  readonly maxBytes: number;
  /** What clients get in place of the upstream's body; `undefined`: itself. */
  readonly rewrite: ((answer: Answer, body: Buffer) => Buffer) | undefined;
  /** The state that subscribers have, wherever it came from. */
  readonly retained: () => Retained | undefined;
}

/**
 * Says what the answers to the polls of one channel mean, one after the other.
 *
 * What is cheap is tried first: most polls find what the one before found, and are recognised by
 * their bytes, or a hash of them, before anything is decompressed or parsed.
 */
export class Judge {
  readonly #options: JudgeOptions;
  #missing = 0;
  /** Of the last answer, which may be newer than the last change. */
  #conditions: readonly string[] | undefined;
  /** The bytes that were judged last, and the state they were found to be no change of. */
  #seen: { readonly digest: string; readonly data: Uint8Array } | undefined;
  #known: { readonly data: Uint8Array; readonly fingerprint: string } | undefined;
  /** Newer than what subscribers have, in parts that do not count. */
  #keptBack: PolledState | undefined;
  #changedAt: number;

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#changedAt = options.clock.now();
  }

  /** Header names and values that make the next poll a conditional one. */
  get conditions(): readonly string[] {
    const retained = this.#options.retained();
    if (!retained) return NONE;
    this.#conditions ??= conditionsOf(new Map(Object.entries(retained.headers)));
    return this.#conditions;
  }

  /** @throws {ProxyError} when the answer cannot be decoded. */
  async judge(answer: Answer): Promise<PollOutcome> {
    const { isPrivate, retained, personal, clock, ignoreForMs } = this.#options;
    const state = retained();
    const refusal = refusalOf(answer, { state, missing: this.#missing, isPrivate });
    this.#missing = answer.status === 404 ? this.#missing + 1 : 0;
    if (refusal) return refusal;
    const found = findPersonal(answer, personal);
    if (found) {
      const { reason, text: detail } = found;
      return { kind: 'ended', word: 'personal', status: answer.status, reason, detail };
    }
    const comparing = answer.status === 304 ? undefined : this.#compare(answer, state);
    let changed = comparing && (await comparing);
    if (answer.status !== 304) this.#conditions = conditionsOf(answer.headers);
    if (!changed && clock.now() - this.#changedAt >= ignoreForMs) changed = this.#keptBack;
    const age = ageOf(answer.headers.get('age'));
    if (!changed) return age ? { kind: 'unchanged', ...age } : UNCHANGED;
    this.#changedAt = clock.now();
    this.#keptBack = undefined;
    return { kind: 'changed', state: changed, ...age };
  }

  /** The new state, where the answer gives one; `undefined` at once when its bytes tell enough. */
  #compare(
    answer: Answer,
    state: Retained | undefined,
  ): Promise<PolledState | undefined> | undefined {
    const { rewrite } = this.#options;
    const type = answer.headers.get('content-type');
    const known = state && isSameType(state.headers['content-type'], type) ? state : undefined;
    const coding = contentCoding(answer);
    if (known && coding === '' && !rewrite && answer.body.equals(known.data)) {
      this.#keptBack = undefined;
      return undefined;
    }
    const digest = hash('sha1', answer.body, 'base64') + coding;
    if (known && this.#seen?.digest === digest && this.#seen.data === known.data) return undefined;
    return this.#compareDecoded(answer, known, digest);
  }

  async #compareDecoded(
    answer: Answer,
    known: Retained | undefined,
    digest: string,
  ): Promise<PolledState | undefined> {
    const { rewrite, maxBytes } = this.#options;
    const type = answer.headers.get('content-type');
    const decoded = await decode(answer, maxBytes);
    const body = rewrite ? rewrite(answer, decoded) : decoded;
    if (known && this.#isSame(body, type ?? '', known)) {
      const isEqual = body.equals(known.data);
      this.#keptBack = isEqual ? undefined : stateOf(answer, body);
      this.#seen = { digest, data: known.data };
      return undefined;
    }
    const changed = stateOf(answer, body);
    this.#seen = { digest, data: changed.data };
    return changed;
  }

  #isSame(body: Buffer, type: string, { data }: Retained): boolean {
    if (body.equals(data)) return true;
    const { comparison } = this.#options;
    if (this.#known?.data !== data) {
      const before = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      this.#known = { data, fingerprint: fingerprint(before, type, comparison) };
    }
    return this.#known.fingerprint === fingerprint(body, type, comparison);
  }
}

/** White space, letters and the charset of JSON, which is always the same one, make no difference. */
function isSameType(one: string | undefined, other: string | undefined): boolean {
  return one === other || plainType(one ?? '') === plainType(other ?? '');
}

function plainType(type: string): string {
  return isJson(type) ? essence(type) : type.toLowerCase().replaceAll(/[\s"]/g, '');
}

/** RFC 9111 §5.1: of several values the first; what is no number is ignored. */
function ageOf(value: string | undefined): { readonly ageMs: number } | undefined {
  const seconds = Number(/^\s*(\d{1,9})\s*(?:,|$)/.exec(value ?? '')?.[1] ?? 0);
  return seconds > 0 ? { ageMs: seconds * 1_000 } : undefined;
}

const NONE: readonly string[] = [];
const UNCHANGED = { kind: 'unchanged' } as const;

/**
 * Header names and values that make a poll conditional on this answer.
 *
 * RFC 9110 §13.1: the entity tag where there is one, else the date. A date has the resolution of a
 * second: one that is not older than the answer would hide a second change in the same second
 * (§8.8.2.2).
 */
export function conditionsOf(headers: ReadonlyMap<string, string>): readonly string[] {
  const etag = headers.get('etag');
  if (etag) return ['if-none-match', etag];
  const modified = headers.get('last-modified');
  if (modified === undefined) return NONE;
  const age = Date.parse(headers.get('date') ?? '') - Date.parse(modified);
  return age >= 1_000 ? ['if-modified-since', modified] : NONE;
}
