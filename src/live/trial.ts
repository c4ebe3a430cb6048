import type { Channel } from '../channel/channel.ts';
import type { Clock } from '../shared/clock.ts';
import { redactUrl } from '../shared/logger.ts';
import type { Comparable } from './answer-marks.ts';
import type { LiveFeed } from './live-feed.ts';
import type { Incomparable, ShadowTally } from './shadow-tally.ts';
import type { Follower } from './state-history.ts';
import type { AnswerCopy } from './true-answer.ts';
import type { Truth, TruthOptions } from './truth.ts';
import { differenceOf, readTruth } from './truth.ts';
import type { Wanted } from './wanted.ts';

/** What one trial is made of. */
export interface TrialOptions extends Pick<TruthOptions, 'rawHeaders' | 'room' | 'rewrite'> {
  readonly wanted: Wanted;
  /** What would have been asked for the state. */
  readonly feed: LiveFeed;
  /** Of the true answer. */
  readonly copy: AnswerCopy;
  readonly tally: ShadowTally;
  readonly clock: Clock;
  /** Look at the states of a channel from now on. */
  readonly follow: (channel: Channel) => Follower;
  /** Does not resolve any more when the proxy stops. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** Polls come later than by the interval: by their jitter. */
const INTERVAL_FACTOR = 1.1;
/** Without a loop the next poll comes with the second plain request from now at the latest. */
const MAX_INTERVALS = 2;

/**
 * One plain request that passes: what would it have been answered with, and what is it answered with?
 *
 * What differs is a mismatch only if the channel has had no such state from when the request came until
 * one interval after its answer. Until that is known of the answer a short text is kept.
 */
export class Trial {
  readonly #options: TrialOptions;
  #follower: Follower | undefined;

  constructor(options: TrialOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { feed, follow, copy, tally } = this.#options;
    try {
      if (feed.source) this.#follower = follow(feed.source);
      const given = await this.#given();
      if (!given) return;
      tally.onSaved();
      if (feed.source) this.#follower ??= follow(feed.source);
      const { outcome, answeredAt } = await this.#truth();
      copy.release();
      this.#count(await this.#verdict(outcome, answeredAt), given);
    } finally {
      copy.release();
      this.#follower?.leave();
    }
  }

  /** What it would have been answered with; less the body, which nobody may have any more soon. */
  async #given(): Promise<Omit<Comparable, 'body'> | undefined> {
    const state = await this.#options.feed.refresh();
    return state && { status: state.status ?? 200, type: state.headers['content-type'] ?? '' };
  }

  /** What the true answer says, and the clock's time when it was there. */
  async #truth() {
    const { copy, clock, wanted, rawHeaders, room, rewrite } = this.#options;
    const outcome = await copy.done;
    const answeredAt = clock.now();
    const { answer } = copy;
    if (outcome !== 'whole') return { outcome, answeredAt };
    if (!answer) return { outcome: 'cut' as const, answeredAt };
    const states = () => this.#follower?.states();
    const options = { endpoint: wanted.endpoint, rawHeaders, room, rewrite, states };
    return { outcome: await readTruth(answer, options), answeredAt };
  }

  async #verdict(
    truth: Truth | 'equal' | Incomparable,
    answeredAt: number,
  ): Promise<Truth | 'equal' | Incomparable> {
    if (typeof truth === 'string') return truth;
    if (this.#isKnown(truth)) return 'equal';
    const { wanted, room, sleep } = this.#options;
    if (!room.take('waiting')) return 'load';
    try {
      const intervalMs = wanted.endpoint.config.every.maxMs * INTERVAL_FACTOR;
      for (let interval = 0; interval < MAX_INTERVALS; interval++) {
        await sleep(intervalMs);
        if (this.#isKnown(truth)) return 'equal';
        if (this.#isPolledSince(answeredAt)) break;
      }
    } finally {
      room.leave('waiting');
    }
    if (!this.#follower?.states()) return 'load';
    if (!this.#isPolledSince(answeredAt)) return 'unconfirmed';
    // Of what has not changed since another validator nobody knows what it is.
    return truth.status === 304 ? 'validator' : truth;
  }

  #isKnown({ isEqual }: Truth): boolean {
    return this.#follower?.states()?.some(isEqual) ?? false;
  }

  /** Would a poll have seen what the true answer has shown? */
  #isPolledSince(moment: number): boolean {
    const { lastPoll } = this.#follower?.channel ?? {};
    return lastPoll !== undefined && lastPoll.at > moment;
  }

  #count(verdict: Truth | 'equal' | Incomparable, given: Omit<Comparable, 'body'>): void {
    const { tally, wanted } = this.#options;
    if (verdict === 'equal') tally.onMatch();
    else if (typeof verdict === 'string') tally.onIncomparable(verdict);
    else tally.onMismatch(redactUrl(wanted.url), differenceOf(verdict, given));
  }
}
