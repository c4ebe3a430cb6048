import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';

/** A limit that has been reached is not told of again for so long. */
const QUIET_MS = 60_000;

/** Says in the log which limits are reached: a line a minute for each, whoever reaches it how often. */
export class LimitLog {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #told = new Map<string, { readonly at: number; since: number }>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Something was refused.
   *
   * @param limit - The limit's name in the config.
   * @param fields - What it was that reached it this time.
   */
  onReached(limit: string, fields: object = {}): void {
    const now = this.#clock.now();
    const before = this.#told.get(limit);
    if (before && now - before.at < QUIET_MS) {
      before.since += 1;
      return;
    }
    this.#told.set(limit, { at: now, since: 0 });
    const again = before && before.since > 0 ? { refusedSince: before.since } : {};
    this.#log.warn({ limit, ...fields, ...again }, `limits.${limit} is reached`);
  }
}
