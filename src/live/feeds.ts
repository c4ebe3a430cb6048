import type { Backplane } from '../cluster/backplane.ts';
import type { PollerOptions } from '../poll/poller.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type { Explanation } from '../shared/explanation.ts';
import type { Logger } from '../shared/logger.ts';
import { createAsker } from './asker.ts';
import type { Askers } from './askers.ts';
import type { Buffered } from './buffered.ts';
import type { Identity } from './channel-key.ts';
import type { ChannelPlacesOptions } from './channel-places.ts';
import { ChannelPlaces } from './channel-places.ts';
import { endSession } from './end-session.ts';
import type { Endpoint } from './endpoint.ts';
import type { Client } from './exchange.ts';
import { differingParts } from './explain-sharing.ts';
import type { FeedOptions } from './feed.ts';
import { Feed } from './feed.ts';
import { FeedFinder } from './feed-finder.ts';
import { feedLabel } from './feed-label.ts';
import { hasSessions, identifySession, identifyState, identifyWanted } from './identify-wanted.ts';
import type { JudgingOptions } from './judging.ts';
import { createJudgeWithRoom } from './judging.ts';
import { PassMemory } from './pass-memory.ts';
import { pollForAll } from './poll-for-all.ts';
import type { SessionFeed } from './session-feed.ts';
import { Sessions } from './sessions.ts';
import type { FoundFeed, Supply } from './supply.ts';
import type { Wanted } from './wanted.ts';
import { polledTarget } from './wanted.ts';
import type { WriteRequest } from './write-request.ts';
import { createMeant } from './write-request.ts';

/** What feeds are made of. */
export interface FeedsOptions extends ChannelPlacesOptions, JudgingOptions {
  /** All of the config, in its order. */
  readonly endpoints: readonly Endpoint[];
  readonly backplane: Backplane;
  /** What the upstream may be asked, and whether it is up. */
  readonly upstream: PollerOptions['upstream'];
  readonly random: () => number;
  readonly log: Logger;
  /** Keys the names of channels; see `identify`. */
  readonly secret: Uint8Array;
  readonly limits: ChannelPlacesOptions['limits'] & { readonly subscribersPerChannel: number };
  readonly buffered: Pick<Buffered, 'isFull' | 'hasRoomFor'>;
}

interface Open {
  readonly feed: Feed;
  readonly wanted: Wanted;
  readonly identity: Identity;
}

/** A request that is changing something. */
interface Write {
  readonly isMeant: (endpoint: Endpoint, target: string) => boolean;
  readonly ends: ((hasChanged: boolean) => void)[];
}

/** How many channels of other clients are told of, and how much of a channel's name. */
const MAX_SIBLINGS = 10;
const KEY_LENGTH = 12;

/** All feeds of this node: one for each live URL and identity that is wanted now. */
export class Feeds extends FeedFinder implements Supply {
  readonly #options: FeedsOptions;
  readonly #feeds = new Map<string, Open>();
  readonly #passing: PassMemory;
  readonly #sessions: Sessions;
  readonly #places: ChannelPlaces;
  readonly #writes = new Set<Write>();

  constructor(options: FeedsOptions) {
    super(options);
    this.#options = options;
    this.#places = new ChannelPlaces(options);
    this.#passing = new PassMemory(options.clock, options.log);
    const own = { places: this.#places, passing: this.#passing };
    this.#sessions = new Sessions({ ...options, ...own });
  }

  /**
   * The state of a URL has become old: poll it at once, for all of its clients, and by `POST` with
   * all bodies.
   *
   * @returns how many channels that are.
   */
  renew(target: string): number {
    const meant = [...this.#feeds.values()].filter(
      ({ wanted }) => wanted.target === polledTarget(wanted.endpoint, target),
    );
    for (const { feed } of meant) void feed.renew();
    return meant.length;
  }

  beginWrite(request: WriteRequest): (hasChanged: boolean) => void {
    const write: Write = { isMeant: createMeant(this.#options.endpoints, request), ends: [] };
    for (const open of this.#feeds.values()) joinWrite(write, open);
    // Of feeds that are opened while it is under way as well.
    this.#writes.add(write);
    return (hasChanged) => {
      this.#writes.delete(write);
      for (const end of write.ends) end(hasChanged);
    };
  }

  /**
   * A session is over: nobody is shown anything of its channels any more. Channels that are not
   * keyed by a credential of this request are others', or nobody's.
   *
   * @param status - Of the site's answer to the request that ended it.
   */
  endSession(client: Client, status: number): void {
    // What all sessions share goes on for those that are left.
    const own = [...this.#feeds.values()].filter(({ wanted }) => !hasSessions(wanted.endpoint));
    const { secret } = this.#options;
    const ended = endSession([...own, ...this.#sessions.all], client, status, secret);
    if (ended > 0) this.#options.log.info({ status, channels: ended }, 'unauthorized: logout');
  }

  identityOf(wanted: Wanted, client: Client): Identity {
    return identifyWanted(wanted, client, this.#options.secret);
  }

  passes(wanted: Wanted, client: Client): boolean {
    const { channel } = identifyState(wanted, client, this.#options.secret);
    return this.#passing.has(channel, this.identityOf(wanted, client).channel);
  }

  /** What is known of the channel of a request. Opens none. */
  explain(wanted: Wanted, client: Client): Partial<Explanation> {
    const ofEndpoint = [...this.#feeds.entries()].filter(
      ([, open]) => open.wanted.endpoint === wanted.endpoint,
    );
    const counted = { channelsOfEndpoint: ofEndpoint.length };
    if (ofEndpoint.length === 0) return counted;
    const identity = identifyState(wanted, client, this.#options.secret);
    const own = this.#feeds.get(identity.channel);
    const siblings = ofEndpoint
      .filter(([name, open]) => name !== identity.channel && isSamePoll(open.wanted, wanted))
      .slice(0, MAX_SIBLINGS)
      .map(([name, open]) => ({
        key: name.slice(0, KEY_LENGTH),
        subscribers: open.feed.channel.subscriberCount,
        differsIn: differingParts(identity.forwarded, open.identity.forwarded),
      }));
    return {
      ...counted,
      key: identity.channel.slice(0, KEY_LENGTH),
      ...(own ? { channel: own.feed.report } : {}),
      ...(siblings.length > 0 ? { siblings } : {}),
    };
  }

  /** Stop all polls. */
  close(): void {
    for (const { feed } of this.#sessions.all) feed.close();
    for (const { feed } of [...this.#feeds.values()]) feed.close();
  }

  protected findOrRefuse(wanted: Wanted, client: Client): FoundFeed | ErrorCode {
    const identity = identifyState(wanted, client, this.#options.secret);
    const feed = hasSessions(wanted.endpoint)
      ? this.#session(wanted, client, identity)
      : (this.#feeds.get(identity.channel)?.feed ?? this.#openOwn(wanted, client, identity));
    if (typeof feed === 'string') return feed;
    return { feed, passes: this.#passing.has(identity.channel, feed.channel.name) };
  }

  /** A feed that is polled with what its clients have in common. */
  #openOwn(wanted: Wanted, client: Client, identity: Identity): Feed | ErrorCode {
    const asker = createAsker(wanted, identity, this.#options.way);
    const cookies = () => asker.cookies;
    return this.#open(wanted, client, identity, {
      lingerMs: wanted.endpoint.config.linger,
      createPoll: (retained) => {
        const judge = createJudgeWithRoom({ wanted, identity, cookies, retained }, this.#options);
        return async (signal) => judge.judge(await asker.ask(judge.conditions, signal));
      },
    });
  }

  #session(wanted: Wanted, client: Client, identity: Identity): SessionFeed | ErrorCode {
    const find = () => this.#feeds.get(identity.channel)?.feed;
    const own = identifySession(wanted, client, this.#options.secret);
    return this.#sessions.find(wanted, client.downstream.address, own, {
      name: identity.channel,
      find,
      open: (askers) => find() ?? this.#openShared(wanted, client, identity, askers),
    });
  }

  /** The feed of all sessions. It has no linger of its own: theirs is enough. */
  #openShared(
    wanted: Wanted,
    client: Client,
    identity: Identity,
    askers: Askers,
  ): Feed | undefined {
    const cookies = () => askers.current?.cookies ?? [];
    const feed = this.#open(wanted, client, identity, {
      lingerMs: 0,
      createPoll: (retained) => {
        const judged = { wanted, identity, cookies, retained };
        return pollForAll(askers, createJudgeWithRoom(judged, this.#options));
      },
    });
    return typeof feed === 'string' ? undefined : feed;
  }

  #open(
    wanted: Wanted,
    client: Client,
    identity: Identity,
    options: Pick<FeedOptions, 'lingerMs' | 'createPoll'>,
  ): Feed | ErrorCode {
    const { backplane, clock, random, log, upstream } = this.#options;
    const { every, patch } = wanted.endpoint.config;
    const name = identity.channel;
    const used = this.#places.take(wanted, client.downstream.address, name, 'own');
    if (typeof used === 'string') return used;
    const feed = new Feed({
      ...options,
      channel: used.channel,
      backplane,
      every,
      patch,
      upstream,
      clock,
      random,
      log,
      label: feedLabel(wanted, name),
      onEnded: (outcome) => this.#passing.onEnded(wanted.endpoint, [name, name], outcome),
      onClose: () => {
        this.#feeds.delete(name);
        used.leave();
      },
    });
    const open = { feed, wanted, identity };
    this.#feeds.set(name, open);
    for (const write of this.#writes) joinWrite(write, open);
    return feed;
  }
}

function joinWrite({ isMeant, ends }: Write, { feed, wanted }: Open): void {
  if (isMeant(wanted.endpoint, wanted.target)) ends.push(feed.beginWrite());
}

/** Do two requests differ in who sends them only? */
function isSamePoll(a: Wanted, b: Wanted): boolean {
  return (
    a.target === b.target &&
    a.content?.type === b.content?.type &&
    a.content?.bytes.toString('latin1') === b.content?.bytes.toString('latin1')
  );
}
