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
  /** Of the last answer, which may be newer than those of the last change. */
  #validators: Readonly<Record<string, string>> | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#pace = firstPace(options.every);
  }

  /** Polls that failed in a row until now. */
  get failures(): number {
    return this.#pace.failures;
  }

  /** Poll now, and from then on by the schedule. */
  start(): void {
    if (this.#isLooping || this.#abort.signal.aborted) return;
    this.#isLooping = true;
    void this.poll();
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
      const conditions = state ? conditionsOf(this.#validators ?? state.headers) : [];
      const answer = await fetch(conditions, this.#abort.signal);
      const known: Known = { state, missing: this.#missing, isPrivate };
      this.#missing = answer.status === 404 ? this.#missing + 1 : 0;
      const outcome = interpret(answer, known);
      if (outcome.kind === 'changed') this.#validators = outcome.state.headers;
      else if (answer.status === 200) this.#validators = Object.fromEntries(answer.headers);
      return outcome;
    } catch (error) {
      return { kind: 'failed', error: asProxyError(error, 'INTERNAL') };
    }
  }
}

/** RFC 9110 §13.1: the entity tag where there is one, else the date. */
function conditionsOf(headers: Readonly<Record<string, string>>): string[] {
  if (headers['etag']) return ['if-none-match', headers['etag']];
  if (headers['last-modified']) return ['if-modified-since', headers['last-modified']];
  return [];
}
