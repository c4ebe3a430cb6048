import { LRUCache } from 'lru-cache';
import type { Ended } from '../poll/detect.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Endpoint } from './endpoint.ts';

/** For how long answers that were meant for one client are taken to be so still. */
const PERSONAL_MS = 60_000;
/** For how long the site is taken to refuse still: a page that polls it would else cost two requests. */
const REFUSED_MS = 5_000;
const MAX_REMEMBERED = 10_000;

/** Which channels had nothing to share a short while ago: their plain requests go to the site. */
export class PassMemory {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #until = new LRUCache<string, number>({ max: MAX_REMEMBERED });
  readonly #warned = new Set<string>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Had one of these channels nothing to share? */
  has(...names: readonly string[]): boolean {
    const now = this.#clock.now();
    return names.some((name) => now < (this.#until.get(name) ?? Number.NEGATIVE_INFINITY));
  }

  /** A channel that another process polls has said its last word. */
  onLastWord(endpoint: Endpoint, name: string, { type }: ChannelEvent): void {
    if (type === 'personal' || type === 'unauthorized' || type === 'gone') {
      const outcome = { kind: 'ended', word: type, status: 0, detail: '' } as const;
      this.onEnded(endpoint, [name, name], outcome);
    }
  }

  /**
   * A channel has ended.
   *
   * @param names - Of the channel whose state it is, and of the one that has ended.
   */
  onEnded({ name: endpoint }: Endpoint, names: readonly [string, string], outcome: Ended): void {
    const now = this.#clock.now();
    const isPersonal = outcome.word === 'personal';
    if (isPersonal) this.#until.set(names[0], now + PERSONAL_MS);
    else this.#until.set(names[1], now + REFUSED_MS);
    // Once for an endpoint: the reason is the same for all of its channels, as a rule.
    if (!isPersonal || this.#warned.has(endpoint)) return;
    this.#warned.add(endpoint);
    this.#log.warn({ endpoint }, `not shared, requests are passed through: ${outcome.detail}`);
  }
}
