import type { PollOutcome } from '../poll/detect.ts';
import type { PollerOptions } from '../poll/poller.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { createAsker } from './asker.ts';
import { Askers } from './askers.ts';
import type { Identity } from './channel-key.ts';
import type { ChannelPlaces } from './channel-places.ts';
import type { Feed } from './feed.ts';
import { feedLabel } from './feed-label.ts';
import type { JudgingOptions } from './judging.ts';
import { createJudge } from './judging.ts';
import type { PassMemory } from './pass-memory.ts';
import { SessionFeed } from './session-feed.ts';
import type { Wanted } from './wanted.ts';

/** What the feeds of sessions are made of. */
export interface SessionsOptions extends JudgingOptions {
  readonly places: ChannelPlaces;
  readonly passing: PassMemory;
  readonly upstream: PollerOptions['upstream'];
  readonly random: () => number;
  readonly log: Logger;
}

/** The feed that all sessions of a state share. */
export interface SharedFeed {
  /** The name of its channel. */
  readonly name: string;
  /** The feed, if it is open. */
  find(): Feed | undefined;
  /** The feed, opened if need be, polled with the credentials of these; `undefined`: too many. */
  open(askers: Askers): Feed | undefined;
}

/** The feeds of sessions, of endpoints with `authorizedBy`. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #open = new Map<string, SessionInUse>();
  /** The sessions that are let in, by the name of the channel that they share. */
  readonly #askers = new Map<string, Askers>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Those that are open now. */
  get all(): readonly SessionInUse[] {
    return [...this.#open.values()];
  }

  /** The feed of a session, which shows what the shared feed shows; opened if need be. */
  find(
    wanted: Wanted,
    address: string,
    identity: Identity,
    shared: SharedFeed,
  ): SessionFeed | ErrorCode {
    const name = identity.channel;
    const open = this.#open.get(name);
    if (open) return open.feed;
    const { places, passing, way, clock, random, log, upstream } = this.#options;
    const { linger, probeEvery } = wanted.endpoint.config;
    const used = places.take(wanted, address, name, 'view');
    if (typeof used === 'string') return used;
    const askers = this.#askersOf(shared.name);
    askers.sessions += 1;
    const asker = createAsker(wanted, identity, way);
    const retained = () => shared.find()?.channel.retained;
    const judged = { wanted, identity, cookies: () => asker.cookies, retained };
    const feed = new SessionFeed({
      channel: used.channel,
      openShared: () => shared.open(askers),
      findShared: () => shared.find(),
      askers,
      asker,
      probe: async (signal) => {
        const answer = await asker.ask([], signal);
        // A judge keeps what it has judged: of as many sessions as there are that would be too much.
        return withoutData(await createJudge(judged, this.#options).judge(answer));
      },
      probeEveryMs: probeEvery,
      lingerMs: linger,
      upstream,
      clock,
      random,
      log,
      label: feedLabel(wanted, name),
      onEnded: (outcome) => {
        // A cookie is for this session alone: the answers of the others set none.
        const isOwn = outcome.reason === 'set-cookie';
        passing.onEnded(wanted.endpoint, [isOwn ? name : shared.name, name], outcome);
      },
      onClose: () => {
        this.#open.delete(name);
        askers.sessions -= 1;
        if (askers.sessions === 0) {
          this.#askers.delete(shared.name);
          // Nobody is left with whose credentials it could be polled.
          shared.find()?.close();
        }
        used.leave();
      },
    });
    this.#open.set(name, { feed, wanted, identity });
    return feed;
  }

  #askersOf(name: string): Askers {
    const askers = this.#askers.get(name) ?? new Askers();
    this.#askers.set(name, askers);
    return askers;
  }
}

const NO_DATA = new Uint8Array();

/** What a probe has found, whose body nobody is shown. */
function withoutData(outcome: PollOutcome): PollOutcome {
  if (outcome.kind !== 'changed') return outcome;
  return { kind: 'changed', state: { ...outcome.state, data: NO_DATA } };
}

/** One session that is shown a state. */
export interface SessionInUse {
  readonly feed: SessionFeed;
  readonly wanted: Wanted;
  readonly identity: Identity;
}
