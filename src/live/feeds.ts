import type { Channels } from '../channel/channels.ts';
import type { Backplane } from '../cluster/backplane.ts';
import type { Fetch } from '../poll/fetch.ts';
import type { Clock } from '../shared/clock.ts';
import type { Downstream } from '../shared/downstream.ts';
import type { Logger } from '../shared/logger.ts';
import { redactUrl } from '../shared/logger.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { Identity } from './channel-key.ts';
import { canonicalTarget, identify } from './channel-key.ts';
import type { Endpoint } from './endpoint.ts';
import { Feed } from './feed.ts';

/** What feeds are made of. */
export interface FeedsOptions {
  readonly channels: Channels;
  readonly backplane: Backplane;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Keys the names of channels; see `identify`. */
  readonly secret: Uint8Array;
  /** The `Host` of polls; `undefined` sends on the client's. */
  readonly upstreamHost: string | undefined;
  readonly userAgent: string;
  /** The `Via` of polls, by which a loop is found; `undefined` sends none. */
  readonly via: string | undefined;
  readonly maxLogBytes: number;
}

/** A client's request for the state of one live URL. */
export interface LiveRequest {
  readonly endpoint: Endpoint;
  /** Path and query as the client sent them. */
  readonly target: string;
  readonly downstream: Downstream;
  readonly rawHeaders: RawHeaders;
}

/** A feed, and the address that events are told under. */
export interface FoundFeed {
  readonly feed: Feed;
  /** Path and query less what `ignoreQuery` names. */
  readonly url: string;
}

/** All feeds of this node: one for each live URL and identity that is wanted now. */
export class Feeds {
  readonly #options: FeedsOptions;
  readonly #feeds = new Map<string, Feed>();

  constructor(options: FeedsOptions) {
    this.#options = options;
  }

  /** The feed for a request, opened if need be; `undefined` when there are too many. */
  find({ endpoint, target, downstream, rawHeaders }: LiveRequest): FoundFeed | undefined {
    const { ignoreQuery, vary } = endpoint.config;
    const url = canonicalTarget(target, ignoreQuery, endpoint.keptQuery);
    const pattern = endpoint.pattern.source;
    const parts = { pattern, target: url, vary, downstream, rawHeaders };
    const identity = identify(parts, this.#options.secret);
    const feed = this.#feeds.get(identity.channel) ?? this.#open(endpoint, url, identity);
    return feed && { feed, url };
  }

  /** Stop all polls. */
  close(): void {
    for (const feed of [...this.#feeds.values()]) feed.close();
  }

  #open(endpoint: Endpoint, url: string, identity: Identity): Feed | undefined {
    const { channels, backplane, fetch, clock, random, log, maxLogBytes } = this.#options;
    const { every, linger, timeout, maxBody, history, patch } = endpoint.config;
    const name = identity.channel;
    const channel = channels.use(name, { maxEvents: history, maxBytes: maxLogBytes });
    if (!channel) return undefined;
    const headers = this.#pollHeaders(endpoint, identity);
    const feed = new Feed({
      channel,
      backplane,
      every,
      lingerMs: linger,
      isPrivate: endpoint.isPrivate,
      patch,
      fetch: (conditions, signal) => {
        const request = { target: url, headers: [...headers, ...conditions] };
        return fetch({ ...request, timeoutMs: timeout, maxBytes: maxBody }, signal);
      },
      clock,
      random,
      log,
      label: { endpoint: endpoint.pattern.source, url: redactUrl(url), channel: name.slice(0, 8) },
      onClose: () => {
        this.#feeds.delete(name);
        channels.rest(channel);
      },
    });
    this.#feeds.set(name, feed);
    return feed;
  }

  /**
   * SECURITY: the poll carries constants of ours, constants of the config, and exactly what the
   * channel is keyed by. Nothing else of a client ever reaches the upstream through a poll.
   */
  #pollHeaders(endpoint: Endpoint, { forwarded }: Identity): string[] {
    const { upstreamHost, userAgent, via } = this.#options;
    const fields = new Map<string, readonly string[]>([
      ['accept', ['*/*']],
      ['accept-encoding', ['gzip']],
      ['user-agent', [userAgent]],
    ]);
    for (const [name, value] of Object.entries(endpoint.config.headers)) {
      fields.set(name.toLowerCase(), [value]);
    }
    for (const [name, values] of forwarded) fields.set(name, values);
    const clientHost = forwarded.get('host') ?? [];
    fields.set('x-forwarded-host', clientHost);
    if (via !== undefined) fields.set('via', [via]);
    if (upstreamHost !== undefined) fields.set('host', [upstreamHost]);
    return [...fields].flatMap(([name, values]) => values.flatMap((value) => [name, value]));
  }
}
