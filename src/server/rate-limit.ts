import type { Clock } from '../shared/clock.ts';

/** How much may happen: on average, and at once after a time in which nothing did. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Counts what happens; a bucket of tokens that fills up with time. */
export class RateLimit {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #left: number;
  #countedAt: number;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#left = rate.burst;
    this.#countedAt = clock.now();
  }

  /**
   * Let so many things happen now, or none of them.
   *
   * @returns 0 when they may, else the milliseconds after which they could.
   */
  take(count: number): number {
    const { perSecond, burst } = this.#rate;
    const now = this.#clock.now();
    this.#left = Math.min(burst, this.#left + ((now - this.#countedAt) / 1_000) * perSecond);
    this.#countedAt = now;
    if (this.#left < count) return ((count - this.#left) / perSecond) * 1_000;
    this.#left -= count;
    return 0;
  }
}
