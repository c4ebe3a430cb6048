import type { Clock, Timer } from '../shared/clock.ts';
import { asProxyError } from '../shared/errors.ts';
import type { Known, PolledState, PollOutcome } from './detect.ts';
import { interpret } from './detect.ts';
import type { Answer } from './fetch.ts';
import type { Every, Pace } from './schedule.ts';
import { delayMs, firstPace, nextPace } from './schedule.ts';

/** What a poller is made of. */
export interface PollerOptions {
  readonly every: Every;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The poll carries something that identifies its client. */
  readonly isPrivate: boolean;
  /** Send one poll, conditional by these header names and values. */
  readonly fetch: (conditions: readonly string[], signal: AbortSignal) => Promise<Answer>;
  /** The state that an answer is compared with. */
  readonly previous: () => Pick<PolledState, 'data' | 'headers'> | undefined;
  /**
   * Called with each outcome before the next poll is planned. Must not throw.
   *
   * @param startedAt - The clock's time when the poll was sent: the state is at least that new.
   */
  readonly onOutcome: (outcome: PollOutcome, startedAt: number) => Promise<void>;
}

/** Polls one resource: again and again between `start` and `stop`, or once on demand. */
export class Poller {
  readonly #options: PollerOptions;
  readonly #abort = new AbortController();
  #pace: Pace;
  #isLooping = false;
  #timer: Timer | undefined;
  #inFlight: Promise<PollOutcome> | undefined;
  #missing = 0;
  /** From the last answer, which may be newer than the last change. */
  #conditions: readonly string[] | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#pace = firstPace(options.every);
  }

  /** Polls that failed in a row until now. */
  get failures(): number {
    return this.#pace.failures;
  }

  /** Between `start` and `stop`. */
  get isLooping(): boolean {
    return this.#isLooping;
  }

  /**
   * Poll from now on by the schedule.
   *
   * @param afterMs - For how long what is known still holds; then comes the first poll.
   */
  start(afterMs = 0): void {
    if (this.#isLooping || this.#abort.signal.aborted) return;
    this.#isLooping = true;
    if (this.#inFlight) return; // it goes on from there
    if (afterMs <= 0) void this.poll();
    else this.#timer = this.#options.clock.after(afterMs, () => void this.poll());
  }

  /** Poll no more. A poll in flight is abandoned without an outcome. */
  stop(): void {
    this.#isLooping = false;
    this.#timer?.cancel();
    this.#abort.abort();
  }

  /** Poll once. While a poll is in flight, its outcome is the answer: polls never overlap. */
  poll(): Promise<PollOutcome> {
    this.#timer?.cancel();
    this.#inFlight ??= this.#pollOnce().finally(() => {
      this.#inFlight = undefined;
    });
    return this.#inFlight;
  }

  async #pollOnce(): Promise<PollOutcome> {
    const { clock, every, random, onOutcome } = this.#options;
    const startedAt = clock.now();
    const outcome = await this.#ask();
    if (this.#abort.signal.aborted) return outcome;
    await onOutcome(outcome, startedAt);
    if (outcome.kind === 'ended') this.stop();
    else {
      const report = {
        result: outcome.kind,
        tookMs: clock.now() - startedAt,
        retryAfterMs: outcome.kind === 'failed' ? outcome.retryAfterMs : undefined,
      };
      this.#pace = nextPace(this.#pace, every, report);
      if (this.#isLooping) {
        const wait = delayMs(this.#pace, every, report, random());
        this.#timer = clock.after(wait, () => void this.poll());
      }
    }
    return outcome;
  }

  async #ask(): Promise<PollOutcome> {
    const { fetch, previous, isPrivate } = this.#options;
    const state = previous();
    try {
      if (state) this.#conditions ??= conditionsOf(new Map(Object.entries(state.headers)));
      const conditions = (state && this.#conditions) ?? [];
      const answer = await fetch(conditions, this.#abort.signal);
      const before: Known = { state, missing: this.#missing, isPrivate };
      this.#missing = answer.status === 404 ? this.#missing + 1 : 0;
      const outcome = interpret(answer, before);
      const isState = outcome.kind === 'changed' || outcome.kind === 'unchanged';
      if (isState && answer.status !== 304) this.#conditions = conditionsOf(answer.headers);
      return outcome;
    } catch (error) {
      return { kind: 'failed', error: asProxyError(error, 'INTERNAL') };
    }
  }
}

/**
 * RFC 9110 §13.1: the entity tag where there is one, else the date. A date has the resolution of a
 * second: one that is not older than the answer would hide a second change in the same second
 * (§8.8.2.2).
 */
function conditionsOf(headers: ReadonlyMap<string, string>): string[] {
  const etag = headers.get('etag');
  if (etag) return ['if-none-match', etag];
  const modified = headers.get('last-modified') ?? '';
  const age = Date.parse(headers.get('date') ?? '') - Date.parse(modified);
  return age >= 1_000 ? ['if-modified-since', modified] : [];
}
