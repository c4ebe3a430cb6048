import type { TransportName } from '../protocol/surface.ts';
import { ProxyError } from '../shared/errors.ts';
import type { LivePath } from './endpoint.ts';
import { allowsTransport } from './endpoint.ts';
import type { Exchange, LiveResult } from './exchange.ts';
import type { Feeds } from './feeds.ts';
import type { Subscription } from './stream.ts';
import type { WantedUrl } from './stream-query.ts';
import type { Streams } from './streams.ts';
import type { Wanted } from './wanted.ts';
import { addressOf, findWanted } from './wanted.ts';

/** What the catalog looks things up in. */
export interface CatalogOptions {
  readonly feeds: Feeds;
  readonly streams: Streams;
  /** What is live at a path, if it is. */
  readonly livePathOf: (target: string) => LivePath | undefined;
}

/** Finds what a client asks for. */
export class Catalog {
  readonly #options: CatalogOptions;

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /**
   * What is to be streamed by this transport. Its events are told under the name that the client has
   * given it.
   *
   * @throws {ProxyError} `NOT_LIVE`, `TRANSPORT_NOT_ALLOWED`.
   */
  find({ target, name, content }: WantedUrl, transport: TransportName): Wanted {
    const { endpoints } = this.#options.livePathOf(target) ?? { endpoints: [] };
    const wanted = findWanted(endpoints, { method: content ? 'POST' : 'GET', target, content });
    if (!wanted) throw new ProxyError('NOT_LIVE');
    if (!allowsTransport(wanted.endpoint, transport)) throw new ProxyError('TRANSPORT_NOT_ALLOWED');
    return name === '' ? wanted : { ...wanted, url: `${wanted.url}${name}` };
  }

  /** The addresses that events of a URL may be told under, whatever is asked for there. */
  addresses({ target, name }: Pick<WantedUrl, 'target' | 'name'>): readonly string[] {
    const { endpoints } = this.#options.livePathOf(target) ?? { endpoints: [] };
    return endpoints.map((endpoint) => `${addressOf(endpoint, target)}${name}`);
  }

  /** A place in the channel of this URL and client. @throws {ProxyError} when there is none. */
  subscription(
    { req, downstream }: Exchange,
    wanted: Wanted,
    cursors: readonly (string | undefined)[],
  ): Subscription {
    const { url, endpoint } = wanted;
    const { rawHeaders } = req;
    const found = this.#options.feeds.findForStream(wanted, { downstream, rawHeaders });
    const { mayCompress } = endpoint;
    return { ...found, url, mayCompress, cursors: cursors.filter((id) => id !== undefined) };
  }

  /**
   * A place in the channel of the request's own URL, when its first poll has ended or takes long.
   *
   * @param use - Gets it, unless the poll was refused: then the site is to refuse by itself.
   */
  async settledSubscription(
    exchange: Exchange,
    wanted: Wanted,
    cursors: readonly (string | undefined)[],
    use: (subscription: Subscription) => Promise<LiveResult>,
  ): Promise<LiveResult> {
    const subscription = this.subscription(exchange, wanted, cursors);
    const { feed } = subscription;
    feed.join();
    try {
      await this.#options.streams.settled([subscription]);
      return feed.hasEnded ? 'pass' : await use(subscription);
    } finally {
      feed.leave(); // a stream has joined by itself
    }
  }
}
