import type { Channel } from '../channel/channel.ts';
import type { Backplane, Lease, Unsubscribe } from '../cluster/backplane.ts';
import type { Ended, PollOutcome } from '../poll/detect.ts';
import type { PatchFormat } from '../poll/diff.ts';
import type { Retained } from '../poll/judge.ts';
import type { Poll } from '../poll/poller.ts';
import { Poller } from '../poll/poller.ts';
import type { Every } from '../poll/schedule.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import type { Timer } from '../shared/clock.ts';
import { deferred } from '../shared/deferred.ts';
import type { ChannelReport } from '../shared/explanation.ts';
import { Demand } from './demand.ts';
import { reportOf } from './feed-report.ts';
import { lastWord } from './feed-words.ts';
import type { FeedParts, LiveFeed } from './live-feed.ts';
import { Publisher } from './publisher.ts';

/** What a feed is made of. */
export interface FeedOptions extends FeedParts {
  readonly backplane: Backplane;
  readonly every: Every;
  /** Make what polls: it compares with the state that is known. */
  readonly createPoll: (retained: () => Retained | undefined) => Poll;
  /** How changes are told to subscribers who have the state before. */
  readonly patch: PatchFormat | 'none';
}

/** How long to wait before asking again for a lease that another node holds. */
const LEASE_RETRY_MS = 1_000;

/**
 * One channel's supply on this node.
 *
 * ```
 * idle ─ first use ─► joining ─ backplane subscribed, latest loaded ─► live
 * live ─ lease won ─► live, may poll;  it polls in a loop while somebody streams
 * live, may poll ─ lease lost ─► live
 * live ─ last stream left ─► lingering ─ lingerMs ─► closed (lease released, unsubscribed)
 * lingering ─ stream, plain request ─► live
 * live ─ unauthorized, gone, end() ─► closed
 * ```
 */
export class Feed implements LiveFeed {
  readonly #options: FeedOptions;
  readonly #openedAt: number;
  #joining: Promise<void> | undefined;
  #isClosed = false;
  readonly #demand: Demand;
  #unsubscribe: Unsubscribe | undefined;
  #lease: Lease | undefined;
  #publisher: Publisher | undefined;
  #poller: Poller | undefined;
  #leaseTimer: Timer | undefined;
  /** Reasons why the last known state may be old: writes under way, and polls after them. */
  #doubts = 0;
  #changedAt: number | undefined;
  #failedAt = Number.NEGATIVE_INFINITY;
  readonly #settled = deferred();
  readonly #closed = deferred();
  /** Resolves when the first poll has ended, or the state is known from elsewhere. */
  readonly settled = this.#settled.promise;
  readonly closed = this.#closed.promise;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#openedAt = options.clock.now();
    this.#demand = new Demand({
      clock: options.clock,
      lingerMs: options.lingerMs,
      patienceMs: options.every.minMs,
      onEnd: () => this.close(),
    });
  }

  get channel(): Channel {
    return this.#options.channel;
  }

  get source(): Channel {
    return this.#options.channel;
  }

  /** Streams and held requests that it is for now. */
  get streamCount(): number {
    return this.#demand.streams;
  }

  /** How the log names it. */
  get label(): FeedOptions['label'] {
    return this.#options.label;
  }

  /** There is nothing to wait for any more: the upstream has refused, or the proxy stops. */
  get hasEnded(): boolean {
    return this.#isClosed;
  }

  /** A stream begins: poll until `leave` was called as often as this. */
  join(): void {
    this.#demand.join();
    void this.#ready().then(() => this.#loopWhileWanted());
  }

  /** A stream has ended. */
  leave(): void {
    this.#demand.leave();
  }

  /**
   * The state for a plain request: as the loop last found it, or not older than the interval.
   * Requests that come while a poll is under way share it.
   *
   * @returns `undefined` when the state cannot be had: then the request must go upstream itself.
   */
  async refresh(): Promise<ChannelEvent | undefined> {
    try {
      return await this.#demand.during(async () => {
        await this.#ready();
        return this.#freshState();
      });
    } finally {
      // No longer than the state may be shown: without a loop nobody would notice that it is old.
      if (!this.#poller?.isLooping) this.#demand.linger(this.#untilOld());
    }
  }

  /**
   * The state has become old just now: poll at once, for whoever streams. Plain requests go upstream
   * until it is known again.
   */
  async renew(): Promise<void> {
    const { lastPoll } = this.channel;
    // What it found holds no more; of when it is stays true.
    if (lastPoll) this.channel.lastPoll = { ...lastPoll, at: Number.NEGATIVE_INFINITY };
    // A poll under way may have seen the state before.
    if (!this.#poller?.isLooping && !this.#poller?.isPolling) return;
    this.#doubts += 1;
    await this.#poller.renew();
    this.#doubts -= 1;
  }

  /** The state is about to change; the result is called when it has changed, or has not. */
  beginWrite(): (hasChanged: boolean) => void {
    this.#doubts += 1;
    return (hasChanged) => {
      if (hasChanged) void this.renew();
      this.#doubts -= 1;
    };
  }

  /** How the channel is doing. */
  get report(): ChannelReport {
    return reportOf({
      channel: this.channel,
      polls: this.#poller?.report,
      everyMs: this.#options.every.minMs,
      openedAt: this.#openedAt,
      changedAt: this.#changedAt,
      isPolledHere: this.#lease !== undefined,
      now: this.#options.clock.now(),
    });
  }

  /**
   * Nobody may be shown anything of this channel any more, whatever polls find.
   *
   * SECURITY: here and now, however long the backplane takes: what comes next may tell the client.
   */
  end(outcome: Ended): void {
    if (this.#isClosed) return;
    this.#options.onEnded(outcome);
    this.channel.apply(lastWord(outcome));
    this.#publisher?.ended(outcome).catch((error: unknown) => this.#report(error));
    this.close();
  }

  /** Give up the lease and every timer. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#demand.close();
    this.#leaseTimer?.cancel();
    this.#poller?.stop();
    this.#unsubscribe?.();
    this.#lease?.release().catch((error: unknown) => this.#report(error));
    this.#settled.resolve();
    this.#options.onClose();
    this.#closed.resolve();
  }

  async #freshState(): Promise<ChannelEvent | undefined> {
    const { every, clock } = this.#options;
    const poller = this.#poller;
    if (!poller || this.#isClosed || this.#doubts > 0) return undefined;
    const since = (moment: number) => clock.now() - moment;
    // While it fails, waiting for one more failure would only delay the true answer.
    const isFailing = poller.isLooping || since(this.#failedAt) < every.minMs;
    if (poller.failures > 0 && isFailing) return undefined;
    const { snapshot, lastPoll } = this.channel;
    const isFresh = poller.isLooping || (lastPoll && since(lastPoll.at) <= every.minMs);
    if (isFresh && snapshot) return snapshot;
    const { kind } = await poller.poll();
    return kind === 'changed' || kind === 'unchanged' ? this.channel.snapshot : undefined;
  }

  /** Milliseconds for which what the last poll said still holds. */
  #untilOld(): number {
    const { every, clock } = this.#options;
    const polledAt = Math.max(
      this.channel.lastPoll?.at ?? Number.NEGATIVE_INFINITY,
      this.#failedAt,
    );
    return Math.max(0, polledAt + every.minMs - clock.now());
  }

  #ready(): Promise<void> {
    this.#joining ??= this.#join().catch((error: unknown) => {
      this.#report(error);
      this.close();
    });
    return this.#joining;
  }

  async #join(): Promise<void> {
    const { backplane, channel } = this.#options;
    const unsubscribe = await backplane.subscribe(channel.name, (event) => channel.apply(event));
    if (this.#isClosed) return unsubscribe();
    this.#unsubscribe = unsubscribe;
    const latest = await backplane.latest(channel.name);
    if (latest && !this.#isClosed) {
      channel.apply(latest);
      this.#settled.resolve();
    }
    await this.#acquire();
  }

  async #acquire(): Promise<void> {
    const { backplane, channel, every, clock, random, createPoll, upstream, patch } = this.#options;
    const lease = this.#isClosed ? undefined : await backplane.acquire(channel.name);
    if (this.#isClosed) return lease?.release();
    if (!lease) {
      this.#leaseTimer = clock.after(LEASE_RETRY_MS, () => this.#tryAgain());
      return;
    }
    this.#lease = lease;
    const { log, label } = this.#options;
    this.#publisher = new Publisher({ channel, backplane, lease, patch, log, label });
    this.#poller = new Poller({
      every,
      clock,
      random,
      poll: createPoll(() => channel.retained),
      upstream,
      onOutcome: (outcome, startedAt) =>
        this.#onOutcome(lease, outcome, startedAt).catch((error: unknown) => this.#report(error)),
    });
  }

  #tryAgain(): void {
    this.#acquire()
      .then(() => this.#loopWhileWanted())
      .catch((error: unknown) => this.#report(error));
  }

  #loopWhileWanted(): void {
    if (this.#demand.streams === 0 || this.#isClosed) return;
    this.#poller?.start(this.channel.snapshot ? this.#untilOld() : 0);
  }

  async #onOutcome(lease: Lease, outcome: PollOutcome, startedAt: number): Promise<void> {
    if (!lease.isValid()) {
      // Another node polls now. What was found here may be older than what it has told.
      this.#poller?.stop();
      this.#poller = undefined;
      return this.#tryAgain();
    }
    switch (outcome.kind) {
      case 'changed':
        this.#note(startedAt, outcome.ageMs);
        this.#changedAt = startedAt;
        await this.#publisher?.changed(outcome.state);
        break;
      case 'unchanged':
        this.#note(startedAt, outcome.ageMs);
        await this.#publisher?.unchanged();
        break;
      case 'failed':
        this.#failedAt = this.#options.clock.now();
        await this.#publisher?.failed(outcome);
        break;
      case 'ended':
        this.#options.onEnded(outcome);
        await this.#publisher?.ended(outcome);
        this.close();
        return;
    }
    this.#settled.resolve();
  }

  #note(startedAt: number, ageMs = 0): void {
    this.channel.lastPoll = { at: startedAt, asOf: this.#options.clock.now() - ageMs };
  }

  #report(error: unknown): void {
    this.#options.log.error({ ...this.#options.label, err: error }, 'feed failed');
  }
}
