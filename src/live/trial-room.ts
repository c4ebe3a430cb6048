import type { Clock } from '../shared/clock.ts';

/** Bytes of true answers that are kept at once, all endpoints together. */
const MAX_BYTES = 32 * 1_024 * 1_024;
/** Answers that may be unpacked at once: each may grow to the endpoint's `maxBody`. */
const MAX_UNPACKING = 4;
/** Trials that may wait for the polls after them. */
const MAX_WAITING = 10_000;
/** Comparing may take this share of the time in the long run, */
const SHARE_OF_TIME = 0.1;
/** and so much at once. */
const MAX_CREDIT_MS = 1_000;

/** What may be taken in a trial room. */
const PLACES = { bytes: MAX_BYTES, unpacking: MAX_UNPACKING, waiting: MAX_WAITING };

/**
 * What trials may take up of the proxy. Beyond it they are not made: who is served must not notice
 * them.
 */
export class TrialRoom {
  readonly #clock: Clock;
  readonly #taken = { bytes: 0, unpacking: 0, waiting: 0 };
  #creditMs = MAX_CREDIT_MS;
  #countedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#countedAt = clock.now();
  }

  /** Take so many places. @returns false when there are not as many. */
  take(place: keyof typeof PLACES, count = 1): boolean {
    if (this.#taken[place] + count > PLACES[place]) return false;
    this.#taken[place] += count;
    return true;
  }

  /** Give them back. */
  leave(place: keyof typeof PLACES, count = 1): void {
    this.#taken[place] -= count;
  }

  /** Do work that nothing else can run beside; `undefined` when too much of it was done lately. */
  work<T>(work: () => T): { readonly result: T } | undefined {
    const begin = this.#clock.now();
    const earned = (begin - this.#countedAt) * SHARE_OF_TIME;
    this.#creditMs = Math.min(MAX_CREDIT_MS, this.#creditMs + earned);
    this.#countedAt = begin;
    if (this.#creditMs <= 0) return undefined;
    try {
      return { result: work() };
    } finally {
      this.#creditMs -= this.#clock.now() - begin;
    }
  }
}
