import { LRUCache } from 'lru-cache';
import type { Channel } from '../channel/channel.ts';
import type { Channels } from '../channel/channels.ts';
import type { Backplane } from '../cluster/backplane.ts';
import type { Ended } from '../poll/detect.ts';
import type { JudgeOptions, Retained } from '../poll/judge.ts';
import { Judge } from '../poll/judge.ts';
import type { PollerOptions } from '../poll/poller.ts';
import type { Clock } from '../shared/clock.ts';
import type { Downstream } from '../shared/downstream.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Explanation } from '../shared/explanation.ts';
import type { Logger } from '../shared/logger.ts';
import { redactUrl } from '../shared/logger.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { PollWay } from './asker.ts';
import { createAsker } from './asker.ts';
import { Askers } from './askers.ts';
import type { Buffered } from './buffered.ts';
import type { Identity, KeyParts } from './channel-key.ts';
import { identify } from './channel-key.ts';
import type { ChannelLimitsOptions } from './channel-limits.ts';
import { ChannelLimits } from './channel-limits.ts';
import { haveSameCredentials } from './credentials.ts';
import type { Endpoint } from './endpoint.ts';
import { differingParts } from './explain-sharing.ts';
import type { FeedOptions } from './feed.ts';
import { Feed } from './feed.ts';
import { judgeWithRoom } from './judge-with-room.ts';
import type { LimitLog } from './limit-log.ts';
import type { LiveFeed } from './live-feed.ts';
import { personalPolicy } from './personal-policy.ts';
import { pollForAll } from './poll-for-all.ts';
import { pollHeaders } from './poll-headers.ts';
import { SessionFeed } from './session-feed.ts';
import type { Wanted } from './wanted.ts';
import { polledTarget } from './wanted.ts';

/** What feeds are made of. */
export interface FeedsOptions {
  readonly channels: Channels;
  readonly backplane: Backplane;
  /** How polls reach the site. */
  readonly way: PollWay;
  /** What the upstream may be asked, and whether it is up. */
  readonly upstream: PollerOptions['upstream'];
  /** For the headers of a poll, what makes of a body the one that clients get. */
  readonly rewriting: ((headers: RawHeaders) => NonNullable<JudgeOptions['rewrite']>) | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Keys the names of channels; see `identify`. */
  readonly secret: Uint8Array;
  readonly maxLogBytes: number;
  readonly limits: ChannelLimitsOptions & { readonly subscribersPerChannel: number };
  readonly limitLog: LimitLog;
  readonly buffered: Pick<Buffered, 'isFull' | 'hasRoomFor'>;
}

/** Who wants the state of a live URL. */
export interface Client {
  readonly downstream: Downstream;
  readonly rawHeaders: RawHeaders;
}

/** The feed of a request. */
export interface FoundFeed {
  readonly feed: LiveFeed;
  /** Plain requests go to the site: a short while ago nothing was found that could be shared. */
  readonly passes: boolean;
}

/** For how long answers that were meant for one client are taken to be so still. */
const PERSONAL_MEMORY_MS = 60_000;
/** For how long the site is taken to refuse still: a page that polls it would else cost two requests. */
const REFUSED_MEMORY_MS = 5_000;
const MAX_REMEMBERED = 10_000;

interface Open<F extends LiveFeed> {
  readonly feed: F;
  readonly wanted: Wanted;
  readonly identity: Identity;
}

interface UsedChannel {
  readonly channel: Channel;
  leave(): void;
}

/** How many channels of other clients are told of, and how much of a channel's name. */
const MAX_SIBLINGS = 10;
const KEY_LENGTH = 12;

/** All feeds of this node: one for each live URL and identity that is wanted now. */
export class Feeds {
  readonly #options: FeedsOptions;
  readonly #feeds = new Map<string, Open<Feed>>();
  /** By channel: until when plain requests go to the site without a poll. */
  readonly #passUntil = new LRUCache<string, number>({ max: MAX_REMEMBERED });
  readonly #warned = new Set<string>();
  /** Of endpoints with `authorizedBy`, by the names of the sessions' own channels. */
  readonly #sessions = new Map<string, Open<SessionFeed>>();
  /** The sessions that are let in, by the name of the channel that they share. */
  readonly #askers = new Map<string, Askers>();
  readonly #limits: ChannelLimits;

  constructor(options: FeedsOptions) {
    this.#options = options;
    this.#limits = new ChannelLimits(options.limits, options.limitLog);
  }

  /** The feed for a request, opened if need be; `undefined` when there are too many. */
  find(wanted: Wanted, client: Client): FoundFeed | undefined {
    const found = this.#find(wanted, client);
    return typeof found === 'string' ? undefined : found;
  }

  /** The same for a stream. @throws {ProxyError} with the code of the limit that is reached. */
  findForStream(wanted: Wanted, client: Client): FoundFeed {
    const found = this.#find(wanted, client);
    if (typeof found === 'string') throw new ProxyError(found);
    if (!this.hasRoomIn(found)) throw new ProxyError('TOO_MANY_SUBSCRIBERS');
    return found;
  }

  /** May one more client wait for what this feed tells? */
  hasRoomIn({ feed }: Pick<FoundFeed, 'feed'>): boolean {
    const { limits, limitLog } = this.#options;
    if (feed.streamCount < limits.subscribersPerChannel) return true;
    limitLog.onReached('subscribersPerChannel', feed.label);
    return false;
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

  /**
   * Something that the channels of these URLs show is about to change.
   *
   * @returns to be called when it has changed, or has not; `undefined` when there are none.
   */
  beginWrite(
    isMeant: (endpoint: Endpoint, target: string) => boolean,
  ): ((hasChanged: boolean) => void) | undefined {
    const ends = [...this.#feeds.values()]
      .filter(({ wanted }) => isMeant(wanted.endpoint, wanted.target))
      .map(({ feed }) => feed.beginWrite());
    if (ends.length === 0) return undefined;
    return (hasChanged) => {
      for (const end of ends) end(hasChanged);
    };
  }

  /**
   * A session is over: nobody is shown anything of its channels any more. Channels that are not
   * keyed by a credential of this request are others', or nobody's.
   *
   * @param status - Of the site's answer to the request that ended it.
   */
  endSession(client: Client, status: number): void {
    const detail = `logout, answered ${status}`;
    const outcome = {
      kind: 'ended',
      word: 'unauthorized',
      status,
      reason: 'logout',
      detail,
    } as const;
    const forwardedBy = new Map<Endpoint, Identity['forwarded']>();
    // What all sessions share goes on for those that are left.
    const own = [...this.#feeds.values()].filter(({ wanted }) => !hasSessions(wanted.endpoint));
    let ended = 0;
    for (const { feed, wanted, identity } of [...own, ...this.#sessions.values()]) {
      const forwarded =
        forwardedBy.get(wanted.endpoint) ?? this.#identifySession(wanted, client).forwarded;
      forwardedBy.set(wanted.endpoint, forwarded);
      if (!haveSameCredentials(identity.forwarded, forwarded)) continue;
      feed.end(outcome);
      ended += 1;
    }
    if (ended > 0) this.#options.log.info({ status, channels: ended }, 'unauthorized: logout');
  }

  /** What is known of the channel of a request. Opens none. */
  explain(wanted: Wanted, client: Client): Partial<Explanation> {
    const ofEndpoint = [...this.#feeds.entries()].filter(
      ([, open]) => open.wanted.endpoint === wanted.endpoint,
    );
    const counted = { channelsOfEndpoint: ofEndpoint.length };
    if (ofEndpoint.length === 0) return counted;
    const identity = this.#identify(wanted, client);
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
    for (const { feed } of [...this.#sessions.values()]) feed.close();
    for (const { feed } of [...this.#feeds.values()]) feed.close();
  }

  #find(wanted: Wanted, client: Client): FoundFeed | ErrorCode {
    const identity = this.#identify(wanted, client);
    const feed = hasSessions(wanted.endpoint)
      ? this.#session(wanted, client, identity)
      : (this.#feeds.get(identity.channel)?.feed ?? this.#openOwn(wanted, client, identity));
    if (typeof feed === 'string') return feed;
    return { feed, passes: this.#passes(identity.channel, feed.channel.name) };
  }

  #identify(
    { endpoint, target, content }: Wanted,
    client: Client,
    kind: KeyParts['kind'] = 'state',
    vary = endpoint.config.vary,
  ): Identity {
    const parts = { kind, endpoint: endpoint.name, target, content, vary, ...client };
    return identify(parts, this.#options.secret);
  }

  #identifySession(wanted: Wanted, client: Client): Identity {
    const { vary, authorizedBy } = wanted.endpoint.config;
    return this.#identify(wanted, client, 'session', [...vary, ...authorizedBy]);
  }

  /** A feed that is polled with what its clients have in common. */
  #openOwn(wanted: Wanted, client: Client, identity: Identity): Feed | ErrorCode {
    const asker = createAsker(wanted, identity, this.#options.way);
    const cookies = () => asker.cookies;
    return this.#open(wanted, client, identity, {
      lingerMs: wanted.endpoint.config.linger,
      createPoll: (retained) => {
        const judge = this.#judgeWithRoom(wanted, identity, cookies, retained);
        return async (signal) => judge.judge(await asker.ask(judge.conditions, signal));
      },
    });
  }

  /** The feed of a session, which shows what the feed of all sessions shows. */
  #session(wanted: Wanted, client: Client, shared: Identity): SessionFeed | ErrorCode {
    const own = this.#identifySession(wanted, client);
    const open = this.#sessions.get(own.channel);
    if (open) return open.feed;
    const { way, clock, random, log, upstream } = this.#options;
    const { linger, probeEvery } = wanted.endpoint.config;
    const used = this.#channel(wanted, client, own.channel, 'view');
    if (typeof used === 'string') return used;
    const asker = createAsker(wanted, own, way);
    const askers = this.#askersOf(shared.channel);
    askers.sessions += 1;
    const openShared = () =>
      this.#feeds.get(shared.channel)?.feed ?? this.#openShared(wanted, client, shared, askers);
    const retained = () => this.#feeds.get(shared.channel)?.feed.channel.retained;
    const judge = this.#judge(wanted, own, () => asker.cookies, retained);
    const feed = new SessionFeed({
      channel: used.channel,
      openShared,
      askers,
      asker,
      probe: async (signal) => judge.judge(await asker.ask([], signal)),
      probeEveryMs: probeEvery,
      lingerMs: linger,
      upstream,
      clock,
      random,
      log,
      label: this.#label(wanted, own.channel),
      onEnded: (outcome) => this.#onEnded(wanted, [shared.channel, own.channel], outcome),
      onClose: () => {
        this.#sessions.delete(own.channel);
        askers.sessions -= 1;
        if (askers.sessions === 0) this.#askers.delete(shared.channel);
        used.leave();
      },
    });
    this.#sessions.set(own.channel, { feed, wanted, identity: own });
    return feed;
  }

  #askersOf(name: string): Askers {
    const askers = this.#askers.get(name) ?? new Askers();
    this.#askers.set(name, askers);
    return askers;
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
      createPoll: (retained) =>
        pollForAll(askers, this.#judgeWithRoom(wanted, identity, cookies, retained)),
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
    const used = this.#channel(wanted, client, name);
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
      label: this.#label(wanted, name),
      onEnded: (outcome) => this.#onEnded(wanted, [name, name], outcome),
      onClose: () => {
        this.#feeds.delete(name);
        used.leave();
      },
    });
    this.#feeds.set(name, { feed, wanted, identity });
    return feed;
  }

  #channel(
    wanted: Wanted,
    { downstream }: Client,
    name: string,
    kind: 'own' | 'view' = 'own',
  ): UsedChannel | ErrorCode {
    const { channels, maxLogBytes, limitLog, buffered } = this.#options;
    if (buffered.isFull) return 'NO_ROOM';
    const release = this.#limits.take(wanted, downstream.address);
    if (typeof release === 'string') return release;
    const { history } = wanted.endpoint.config;
    const channel = channels.use(name, { maxEvents: history, maxBytes: maxLogBytes }, kind);
    if (!channel) {
      release();
      limitLog.onReached('channels');
      return 'TOO_MANY_CHANNELS';
    }
    const leave = () => {
      release();
      channels.rest(channel);
    };
    return { channel, leave };
  }

  /** As below, where the state is kept: a new one for which there is no room is none. */
  #judgeWithRoom(
    wanted: Wanted,
    identity: Identity,
    cookies: () => readonly string[],
    retained: () => Retained | undefined,
  ): Pick<Judge, 'conditions' | 'judge'> {
    return judgeWithRoom(
      () => this.#judge(wanted, identity, cookies, retained),
      ({ length }) => this.#options.buffered.hasRoomFor(length - (retained()?.data.length ?? 0)),
    );
  }

  /** What says which answers are changes of the state that is known. */
  #judge(
    { endpoint, content }: Wanted,
    identity: Identity,
    cookies: () => readonly string[],
    retained: () => Retained | undefined,
  ): Judge {
    const { clock, rewriting, way } = this.#options;
    const { config } = endpoint;
    const headers = pollHeaders({ headers: config.headers, content, identity }, way.sender);
    return new Judge({
      clock,
      isPrivate: endpoint.isPrivate,
      personal: personalPolicy(endpoint, cookies),
      comparison: config,
      ignoreForMs: config.ignoreFor,
      maxBytes: config.maxBody,
      rewrite: rewriting?.(headers),
      retained,
    });
  }

  #label({ endpoint, target }: Wanted, name: string): FeedOptions['label'] {
    return { endpoint: endpoint.name, url: redactUrl(target), channel: name.slice(0, 8) };
  }

  #passes(...names: readonly string[]): boolean {
    const now = this.#options.clock.now();
    return names.some((name) => now < (this.#passUntil.get(name) ?? Number.NEGATIVE_INFINITY));
  }

  /** @param names - Of the channel whose state it is, and of the one that has ended. */
  #onEnded({ endpoint }: Wanted, names: readonly [string, string], outcome: Ended): void {
    const now = this.#options.clock.now();
    if (outcome.word === 'personal') {
      this.#passUntil.set(names[0], now + PERSONAL_MEMORY_MS);
      this.#warn(endpoint, outcome.detail);
    } else {
      this.#passUntil.set(names[1], now + REFUSED_MEMORY_MS);
    }
  }

  /** Once for an endpoint: the reason is the same for all of its channels, as a rule. */
  #warn({ name: endpoint }: Endpoint, text: string): void {
    if (this.#warned.has(endpoint)) return;
    this.#warned.add(endpoint);
    this.#options.log.warn({ endpoint }, `not shared, requests are passed through: ${text}`);
  }
}

/** Is its state one for all sessions that the site lets in? */
function hasSessions({ config }: Endpoint): boolean {
  return config.authorizedBy.length > 0;
}

/** Do two requests differ in who sends them only? */
function isSamePoll(a: Wanted, b: Wanted): boolean {
  return (
    a.target === b.target &&
    a.content?.type === b.content?.type &&
    a.content?.bytes.toString('latin1') === b.content?.bytes.toString('latin1')
  );
}
