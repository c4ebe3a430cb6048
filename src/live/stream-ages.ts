import type { Clock, Timer } from '../shared/clock.ts';

/** How old things may become. */
export interface AgesOptions<T> {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Each ends at a moment of its own in the last fifth of this time. */
  readonly maxAgeMs: number;
  readonly onOld: (item: T) => void;
}

/** Part of the time that everything lasts. */
const SHORTEST = 0.8;
/** They may end so much later, so that many can share a timer. */
const SPACING_MS = 1_000;

/**
 * Ends what has been open for long enough. There is one timer for all of them, at the time of the
 * next one: timers of their own would cost several times what is kept here.
 */
export class StreamAges<T> {
  readonly #options: AgesOptions<T>;
  readonly #endsAt = new Map<T, number>();
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(options: AgesOptions<T>) {
    this.#options = options;
  }

  add(item: T): void {
    const { clock, random, maxAgeMs } = this.#options;
    const endsAt = clock.now() + maxAgeMs * (SHORTEST + (1 - SHORTEST) * random());
    this.#endsAt.set(item, endsAt);
    if (endsAt < this.#timerAt) this.#wakeAt(endsAt);
  }

  /** It is over already. */
  remove(item: T): void {
    this.#endsAt.delete(item);
    if (this.#endsAt.size === 0) this.#rest();
  }

  #wakeAt(moment: number): void {
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#timerAt = moment;
    this.#timer = clock.after(moment - clock.now(), () => this.#onTimer());
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #onTimer(): void {
    this.#rest();
    const now = this.#options.clock.now();
    let next = Number.POSITIVE_INFINITY;
    for (const [item, endsAt] of this.#endsAt) {
      if (endsAt > now) {
        next = Math.min(next, endsAt);
        continue;
      }
      this.#endsAt.delete(item);
      this.#options.onOld(item);
    }
    if (this.#endsAt.size > 0) this.#wakeAt(Math.max(next, now + SPACING_MS));
  }
}
