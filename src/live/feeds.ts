import { LRUCache } from 'lru-cache';
import type { Channels } from '../channel/channels.ts';
import type { Backplane } from '../cluster/backplane.ts';
import type { Fetch } from '../poll/fetch.ts';
import type { JudgeOptions } from '../poll/judge.ts';
import { Judge } from '../poll/judge.ts';
import type { PollerOptions } from '../poll/poller.ts';
import type { Clock } from '../shared/clock.ts';
import type { Downstream } from '../shared/downstream.ts';
import type { Explanation } from '../shared/explanation.ts';
import type { Logger } from '../shared/logger.ts';
import { redactUrl } from '../shared/logger.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { Identity } from './channel-key.ts';
import { identify } from './channel-key.ts';
import type { Endpoint } from './endpoint.ts';
import { differingParts } from './explain-sharing.ts';
import type { FeedOptions } from './feed.ts';
import { Feed } from './feed.ts';
import { withHandshake } from './handshake.ts';
import { personalPolicy } from './personal-policy.ts';
import type { PollSender } from './poll-headers.ts';
import { pollHeaders } from './poll-headers.ts';
import type { Wanted } from './wanted.ts';
import { polledTarget } from './wanted.ts';

/** What feeds are made of. */
export interface FeedsOptions {
  readonly channels: Channels;
  readonly backplane: Backplane;
  readonly fetch: Fetch;
  /** What the upstream may be asked, and whether it is up. */
  readonly upstream: PollerOptions['upstream'];
  /** For the headers of a poll, what makes of a body the one that clients get. */
  readonly rewriting: ((headers: RawHeaders) => NonNullable<JudgeOptions['rewrite']>) | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Keys the names of channels; see `identify`. */
  readonly secret: Uint8Array;
  readonly sender: PollSender;
  readonly maxLogBytes: number;
}

/** Who wants the state of a live URL. */
export interface Client {
  readonly downstream: Downstream;
  readonly rawHeaders: RawHeaders;
}

/** The feed of a request. */
export interface FoundFeed {
  readonly feed: Feed;
  /** Its answers were found a short while ago to be meant for one client only. */
  readonly isPersonal: boolean;
}

/** For how long answers that were meant for one client are taken to be so still. */
const PERSONAL_MEMORY_MS = 60_000;
const MAX_PERSONAL = 10_000;

interface OpenFeed {
  readonly feed: Feed;
  readonly wanted: Wanted;
  readonly identity: Identity;
}

/** How many channels of other clients are told of, and how much of a channel's name. */
const MAX_SIBLINGS = 10;
const KEY_LENGTH = 12;

/** All feeds of this node: one for each live URL and identity that is wanted now. */
export class Feeds {
  readonly #options: FeedsOptions;
  readonly #feeds = new Map<string, OpenFeed>();
  /** When channels were found to be personal. */
  readonly #personal = new LRUCache<string, number>({ max: MAX_PERSONAL });
  readonly #warned = new Set<string>();

  constructor(options: FeedsOptions) {
    this.#options = options;
  }

  /** The feed for a request, opened if need be; `undefined` when there are too many. */
  find(wanted: Wanted, client: Client): FoundFeed | undefined {
    const identity = this.#identify(wanted, client);
    const feed = this.#feeds.get(identity.channel)?.feed ?? this.#open(wanted, identity);
    const foundAt = this.#personal.get(identity.channel) ?? Number.NEGATIVE_INFINITY;
    const isPersonal = this.#options.clock.now() - foundAt < PERSONAL_MEMORY_MS;
    return feed && { feed, isPersonal };
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
    for (const { feed } of [...this.#feeds.values()]) feed.close();
  }

  #identify({ endpoint, target, content }: Wanted, client: Client): Identity {
    const { name, config } = endpoint;
    const parts = { endpoint: name, target, content, vary: config.vary, ...client };
    return identify(parts, this.#options.secret);
  }

  #open(wanted: Wanted, identity: Identity): Feed | undefined {
    const { endpoint, target } = wanted;
    const { channels, backplane, clock, random, log, maxLogBytes, upstream } = this.#options;
    const { every, linger, maxBody, history, patch } = endpoint.config;
    const name = identity.channel;
    const channel = channels.use(name, { maxEvents: history, maxBytes: maxLogBytes });
    if (!channel) return undefined;
    const { headers: constants } = endpoint.config;
    const terms = { headers: constants, content: wanted.content, identity };
    const headers = pollHeaders(terms, this.#options.sender);
    const feed = new Feed({
      channel,
      backplane,
      every,
      lingerMs: linger,
      patch,
      createJudge: (retained) =>
        new Judge({
          clock,
          isPrivate: endpoint.isPrivate,
          personal: personalPolicy(endpoint, identity),
          comparison: endpoint.config,
          ignoreForMs: endpoint.config.ignoreFor,
          maxBytes: maxBody,
          rewrite: this.#options.rewriting?.(headers),
          retained,
        }),
      upstream,
      fetch: this.#poll(wanted, headers),
      clock,
      random,
      log,
      label: { endpoint: endpoint.name, url: redactUrl(target), channel: name.slice(0, 8) },
      onPersonal: (text) => {
        this.#personal.set(name, clock.now());
        this.#warn(endpoint, text);
      },
      onClose: () => {
        this.#feeds.delete(name);
        channels.rest(channel);
      },
    });
    this.#feeds.set(name, { feed, wanted, identity });
    return feed;
  }

  /** How this is polled. */
  #poll({ endpoint, target, content }: Wanted, headers: readonly string[]): FeedOptions['fetch'] {
    const { timeout, maxBody, handshake } = endpoint.config;
    const fetch = handshake ? withHandshake(this.#options.fetch, handshake) : this.#options.fetch;
    const poll = {
      method: content ? 'POST' : 'GET',
      target,
      headers,
      body: content?.bytes,
      timeoutMs: timeout,
      maxBytes: maxBody,
    } as const;
    return (conditions, signal) => {
      // Of a POST a condition would say when it is to be refused, not what is known.
      const isPlain = conditions.length === 0 || content !== undefined;
      return fetch(isPlain ? poll : { ...poll, headers: [...headers, ...conditions] }, signal);
    };
  }

  /** Once for an endpoint: the reason is the same for all of its channels, as a rule. */
  #warn({ name: endpoint }: Endpoint, text: string): void {
    if (this.#warned.has(endpoint)) return;
    this.#warned.add(endpoint);
    this.#options.log.warn({ endpoint }, `not shared, requests are passed through: ${text}`);
  }
}

/** Do two requests differ in who sends them only? */
function isSamePoll(a: Wanted, b: Wanted): boolean {
  return (
    a.target === b.target &&
    a.content?.type === b.content?.type &&
    a.content?.bytes.toString('latin1') === b.content?.bytes.toString('latin1')
  );
}
