import type { Clock, Timer } from '../shared/clock.ts';
import type { ShadowReport } from '../shared/explanation.ts';
import type { Logger } from '../shared/logger.ts';

/**
 * Why a true answer could not be compared: it was coded in another way than gzip, or falsely; larger than
 * `maxBody`; cut off; none, or one by which the site says that it cannot answer; a 304 to another
 * validator than the state has; different from the state before, and no poll came after it; or there was
 * too much to compare.
 */
export type Incomparable =
  | 'coding'
  | 'size'
  | 'cut'
  | 'failed'
  | 'validator'
  | 'unconfirmed'
  | 'load';

/** In what an answer differs from the state that would have been given. */
export type Difference = 'status' | 'type' | 'body';

/** A summary is told so long after the first request that no summary has told of yet. */
const SUMMARY_MS = 10 * 60_000;
/** A mismatch is not told of again for so long. */
const QUIET_MS = 60_000;

/** Counts what trying an endpoint has shown, since the start of the proxy, and tells it to the log. */
export class ShadowTally {
  readonly #endpoint: string;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #incomparable: Partial<Record<Incomparable, number>> = {};
  #requests = 0;
  #saved = 0;
  #matched = 0;
  #mismatched = 0;
  #summary: Timer | undefined;
  #toldMismatchAt = Number.NEGATIVE_INFINITY;

  constructor(endpoint: string, clock: Clock, log: Logger) {
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#log = log;
  }

  get report(): ShadowReport {
    return {
      requests: this.#requests,
      saved: this.#saved,
      matched: this.#matched,
      mismatched: this.#mismatched,
      incomparable: { ...this.#incomparable },
    };
  }

  /** A plain request that could have been converted. */
  onRequest(): void {
    this.#requests += 1;
    this.#summary ??= this.#clock.after(SUMMARY_MS, () => this.#summarise());
  }

  /** The state would have answered it. */
  onSaved(): void {
    this.#saved += 1;
  }

  /** The true answer is a state that the channel had around it. */
  onMatch(): void {
    this.#matched += 1;
  }

  /** It is none of them. @param url - Without secrets. */
  onMismatch(url: string, difference: Difference): void {
    this.#mismatched += 1;
    const now = this.#clock.now();
    if (now - this.#toldMismatchAt < QUIET_MS) return;
    this.#toldMismatchAt = now;
    const fields = { endpoint: this.#endpoint, url, ...this.report };
    this.#log.info(fields, `shadow: the site answered with another ${difference} than the state`);
  }

  onIncomparable(why: Incomparable): void {
    this.#incomparable[why] = (this.#incomparable[why] ?? 0) + 1;
  }

  /** Tell what has not been told. */
  close(): void {
    if (this.#summary) this.#summarise();
  }

  #summarise(): void {
    this.#summary?.cancel();
    this.#summary = undefined;
    this.#log.info(
      { endpoint: this.#endpoint, ...this.report },
      'shadow: compared since the start',
    );
  }
}
