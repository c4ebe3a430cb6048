import type { Clock, Timer } from '../shared/clock.ts';
import { asProxyError, ProxyError } from '../shared/errors.ts';
import type { PollOutcome } from './detect.ts';
import type { PollBudget, Release } from './poll-budget.ts';
import type { Every, Pace } from './schedule.ts';
import { delayMs, firstDelayMs, firstPace, nextPace, resumeDelayMs } from './schedule.ts';
import type { BreakerPass, UpstreamBreaker } from './upstream-breaker.ts';
import { verdictOf } from './verdict.ts';

/**
 * One poll: what the site is asked, and what its answer means. The poll has failed when it throws.
 */
export type Poll = (signal: AbortSignal) => Promise<PollOutcome>;

/** What a poller is made of. */
export interface PollerOptions {
  readonly every: Every;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly poll: Poll;
  /** What the upstream may be asked, and whether it is up: shared by all who poll it. */
  readonly upstream: { readonly budget: PollBudget; readonly breaker: UpstreamBreaker };
  /**
   * Called with each outcome before the next poll is planned. Must not throw.
   *
   * @param startedAt - The clock's time when the poll was sent: the state is at least that new.
   */
  readonly onOutcome: (outcome: PollOutcome, startedAt: number) => Promise<void>;
}

/** How a channel is being polled. */
export interface PollerReport {
  readonly intervalMs: number;
  readonly failures: number;
  /** The clock's time of the next poll, where one is planned. */
  readonly nextAt: number | undefined;
  readonly last:
    | { readonly outcome: PollOutcome; readonly at: number; readonly tookMs: number }
    | undefined;
}

/** Polls that are asked for at once come no closer than this after each other. */
const RENEW_GAP_MS = 100;

/** Polls one resource: again and again between `start` and `stop`, or once on demand. */
export class Poller {
  readonly #options: PollerOptions;
  readonly #abort = new AbortController();
  #pace: Pace;
  #isLooping = false;
  #timer: Timer | undefined;
  #nextAt: number | undefined;
  #inFlight: Promise<PollOutcome> | undefined;
  #startedAt = Number.NEGATIVE_INFINITY;
  #last: PollerReport['last'];
  /** Those who wait for a poll that begins from now on. */
  #renewals: (() => void)[] = [];
  readonly #pass: BreakerPass;
  #isFirstOfLoop = false;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#pace = firstPace(options.every);
    this.#pass = options.upstream.breaker.join({
      everyMs: options.every.minMs,
      onTrial: () => this.#try(),
      onRecovered: () => this.#resume(),
    });
  }

  /** Polls that failed in a row until now. */
  get failures(): number {
    return this.#pace.failures;
  }

  /** Between `start` and `stop`. */
  get isLooping(): boolean {
    return this.#isLooping;
  }

  /** A poll is under way. */
  get isPolling(): boolean {
    return this.#inFlight !== undefined;
  }

  get report(): PollerReport {
    const { intervalMs, failures } = this.#pace;
    return { intervalMs, failures, nextAt: this.#nextAt, last: this.#last };
  }

  /**
   * Poll from now on by the schedule.
   *
   * @param afterMs - For how long what is known still holds; then comes the first poll.
   */
  start(afterMs = 0): void {
    if (this.#isLooping || this.#abort.signal.aborted) return;
    this.#isLooping = true;
    this.#isFirstOfLoop = true;
    if (this.#inFlight) return; // it goes on from there
    if (afterMs <= 0) void this.poll();
    else this.#plan(afterMs);
  }

  /** Poll no more. A poll in flight is abandoned without an outcome. */
  stop(): void {
    this.#isLooping = false;
    this.#cancel();
    this.#pass.leave();
    this.#abort.abort();
    this.#settleRenewals(this.#renewals.splice(0));
  }

  /** Poll once. While a poll is in flight, its outcome is the answer: polls never overlap. */
  poll(): Promise<PollOutcome> {
    this.#cancel();
    this.#inFlight ??= this.#pollOnce();
    return this.#inFlight;
  }

  /**
   * What is known has become old just now: poll at once, and if a poll is in flight, again after
   * it. Resolves when that poll has ended. Those who ask together share one.
   */
  renew(): Promise<void> {
    if (this.#abort.signal.aborted) return Promise.resolve();
    const renewed = new Promise<void>((resolve) => this.#renewals.push(resolve));
    if (!this.#inFlight && this.#renewals.length === 1) this.#planRenewal();
    return renewed;
  }

  #planRenewal(): void {
    const at = Math.max(this.#startedAt + RENEW_GAP_MS, this.#pace.notBefore);
    this.#plan(Math.max(0, at - this.#options.clock.now()));
  }

  /** The upstream answers again: come back at some moment within the interval, not all at once. */
  #resume(): void {
    if (!this.#isLooping || this.#inFlight || this.#renewals.length > 0) return;
    if (this.#pace.failures === 0) return;
    const { clock, random } = this.#options;
    this.#plan(resumeDelayMs(this.#pace, clock.now(), random()));
  }

  /** One poll is wanted to see whether the upstream is back. */
  #try(): boolean {
    const isAllowed = this.#options.clock.now() >= this.#pace.notBefore;
    if (!this.#isLooping || this.#inFlight || !isAllowed) return false;
    void this.poll();
    return true;
  }

  #plan(delay: number): void {
    this.#cancel();
    const { clock } = this.#options;
    this.#nextAt = clock.now() + delay;
    this.#timer = clock.after(delay, () => void this.poll());
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#nextAt = undefined;
  }

  /*
   * Thousands of polls a second may come this way, nearly all of which find nothing new: each promise
   * less on the way of those counts.
   */

  async #pollOnce(): Promise<PollOutcome> {
    const { clock, every, random, onOutcome } = this.#options;
    const at = clock.now();
    this.#startedAt = at;
    const renewals = this.#renewals.splice(0);
    try {
      const outcome = await this.#ask();
      if (this.#abort.signal.aborted) return outcome;
      const tookMs = clock.now() - at;
      this.#last = { outcome, at, tookMs };
      await onOutcome(outcome, at);
      this.#settleRenewals(renewals);
      if (outcome.kind === 'ended') {
        this.stop();
        return outcome;
      }
      const retryAfterMs = outcome.kind === 'failed' ? outcome.retryAfterMs : undefined;
      const report = { result: outcome.kind, at, tookMs: clock.now() - at, retryAfterMs };
      this.#pace = nextPace(this.#pace, every, report);
      const delay = this.#isFirstOfLoop ? firstDelayMs : delayMs;
      this.#isFirstOfLoop = false;
      if (this.#isLooping) this.#plan(delay(this.#pace, every, report, random()));
      return outcome;
    } finally {
      this.#inFlight = undefined;
      if (this.#renewals.length > 0) this.#planRenewal();
    }
  }

  #ask(): Promise<PollOutcome> {
    const { budget, breaker } = this.#options.upstream;
    if (breaker.state === 'open') return Promise.resolve(notAsked());
    const release = budget.tryTake();
    return release ? this.#send(release) : this.#waitAndSend();
  }

  async #waitAndSend(): Promise<PollOutcome> {
    let release: Release;
    try {
      release = await this.#options.upstream.budget.take(this.#abort.signal);
    } catch (error) {
      return failed(error); // it was stopped while it waited
    }
    return this.#send(release);
  }

  async #send(release: Release): Promise<PollOutcome> {
    if (!this.#pass.mayPoll()) {
      release('unused');
      return notAsked();
    }
    let outcome: PollOutcome;
    try {
      outcome = await this.#options.poll(this.#abort.signal);
    } catch (error) {
      outcome = failed(error);
    } finally {
      release();
    }
    const retryAfterMs = outcome.kind === 'failed' ? outcome.retryAfterMs : undefined;
    this.#pass.onResult(verdictOf(outcome), retryAfterMs);
    return outcome;
  }

  #settleRenewals(renewals: readonly (() => void)[]): void {
    for (const settle of renewals) settle();
  }
}

function failed(error: unknown): PollOutcome {
  return { kind: 'failed', error: asProxyError(error, 'INTERNAL') };
}

function notAsked(): PollOutcome {
  return failed(new ProxyError('UPSTREAM_UNREACHABLE', 'not asked: the upstream fails'));
}
