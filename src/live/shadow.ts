import type { IncomingMessage } from 'node:http';
import type { Channel } from '../channel/channel.ts';
import type { Answer } from '../poll/answer.ts';
import type { Clock, Timer } from '../shared/clock.ts';
import type { Explanation } from '../shared/explanation.ts';
import type { Logger } from '../shared/logger.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { Witness } from '../shared/witness.ts';
import { comparableOf, markOf } from './answer-marks.ts';
import type { Endpoint } from './endpoint.ts';
import type { HttpExchange } from './exchange.ts';
import { ShadowTally } from './shadow-tally.ts';
import type { Follower } from './state-history.ts';
import { StateHistory } from './state-history.ts';
import type { FoundFeed } from './supply.ts';
import { Trial } from './trial.ts';
import { TrialRoom } from './trial-room.ts';
import { AnswerCopy } from './true-answer.ts';
import type { Wanted } from './wanted.ts';

/** What trying goes by. */
export interface ShadowOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** For the headers of a request, what makes of an answer's body the one that clients get. */
  readonly rewriting:
    | ((headers: RawHeaders) => (answer: Pick<Answer, 'headers'>, body: Buffer) => Buffer)
    | undefined;
}

/**
 * Tries what converting the plain requests of an endpoint would do: they pass, and their answers are
 * compared with the states that would have been given.
 *
 * Fails open: whatever happens here, the answer passes as it is, and when it does.
 */
export class Shadow {
  readonly #options: ShadowOptions;
  readonly #room: TrialRoom;
  readonly #witnesses = new WeakMap<IncomingMessage, Witness>();
  readonly #tallies = new Map<Endpoint, ShadowTally>();
  readonly #histories = new Map<Channel, StateHistory>();
  readonly #timers = new Set<Timer>();

  constructor(options: ShadowOptions) {
    this.#options = options;
    this.#room = new TrialRoom(options.clock);
  }

  /**
   * A plain request is about to pass that could have been converted.
   *
   * @param found - The feed that would have been asked; `undefined` when there were too many.
   */
  begin(exchange: HttpExchange, wanted: Wanted, found: FoundFeed | undefined): void {
    const { endpoint } = wanted;
    const tally = this.#tallyOf(endpoint);
    tally.onRequest();
    const { req, res, downstream } = exchange;
    if (!found || found.passes || res.destroyed) return;
    const copy = new AnswerCopy(endpoint.config.maxBody, this.#room);
    this.#witnesses.set(req, copy);
    res.once('close', () => copy.onClose());
    const { clock, log, rewriting } = this.#options;
    const { scheme, host } = downstream;
    const trial = new Trial({
      wanted,
      rawHeaders: req.rawHeaders,
      feed: found.feed,
      copy,
      tally,
      room: this.#room,
      clock,
      follow: (channel) => this.#follow(channel, endpoint),
      // As polls are sent for this client.
      rewrite: rewriting?.(['x-forwarded-proto', scheme, 'x-forwarded-host', host]),
      sleep: (ms) => this.#sleep(ms),
    });
    trial.run().catch((error: unknown) => {
      log.error({ endpoint: endpoint.name, err: error }, 'comparing failed');
    });
  }

  /** Who is to look on while the answer to this request passes. */
  witnessOf(req: IncomingMessage): Witness | undefined {
    return this.#witnesses.get(req);
  }

  /** What trying an endpoint has shown. */
  explain(endpoint: Endpoint): Pick<Explanation, 'shadow'> {
    return endpoint.config.shadow ? { shadow: this.#tallyOf(endpoint).report } : {};
  }

  /** Compare no more. */
  close(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    for (const tally of this.#tallies.values()) tally.close();
  }

  #tallyOf(endpoint: Endpoint): ShadowTally {
    const { clock, log } = this.#options;
    const tally = this.#tallies.get(endpoint) ?? new ShadowTally(endpoint.name, clock, log);
    this.#tallies.set(endpoint, tally);
    return tally;
  }

  #follow(channel: Channel, endpoint: Endpoint): Follower {
    let history = this.#histories.get(channel);
    if (!history) {
      const mark = (state: Parameters<typeof comparableOf>[0]) =>
        markOf(comparableOf(state), endpoint);
      const onUnfollowed = () => this.#histories.delete(channel);
      history = new StateHistory(channel, this.#options.clock, mark, onUnfollowed);
      this.#histories.set(channel, history);
    }
    return history.follow();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, () => {
        this.#timers.delete(timer);
        resolve();
      });
      this.#timers.add(timer);
    });
  }
}
