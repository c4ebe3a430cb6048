import type { TransportName } from '../protocol/surface.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Endpoint } from './endpoint.ts';
import { allowsTransport } from './endpoint.ts';
import type { Exchange, LiveResult } from './exchange.ts';
import type { Feeds } from './feeds.ts';
import type { Subscription } from './stream.ts';
import type { Streams } from './streams.ts';

/** What the catalog looks things up in. */
export interface CatalogOptions {
  readonly feeds: Feeds;
  readonly streams: Streams;
  /** The live endpoint of a path, if it is one. */
  readonly endpointOf: (target: string) => Endpoint | undefined;
}

/** Finds what a client asks for. */
export class Catalog {
  readonly #options: CatalogOptions;

  constructor(options: CatalogOptions) {
    this.#options = options;
  }

  /**
   * The endpoint of a URL that is to be streamed by this transport.
   *
   * @throws {ProxyError} `NOT_LIVE`, `TRANSPORT_NOT_ALLOWED`.
   */
  endpoint(target: string, name: TransportName): Endpoint {
    const endpoint = this.#options.endpointOf(target);
    if (!endpoint) throw new ProxyError('NOT_LIVE');
    if (!allowsTransport(endpoint, name)) throw new ProxyError('TRANSPORT_NOT_ALLOWED');
    return endpoint;
  }

  /** A place in the channel of this URL and client. @throws {ProxyError} `TOO_MANY_CHANNELS`. */
  subscription(
    { req, downstream }: Exchange,
    endpoint: Endpoint,
    target: string,
    cursors: readonly (string | undefined)[],
  ): Subscription {
    const { rawHeaders } = req;
    const found = this.#options.feeds.find({ endpoint, target, downstream, rawHeaders });
    if (!found) throw new ProxyError('TOO_MANY_CHANNELS');
    const { mayCompress } = endpoint;
    return { ...found, mayCompress, cursors: cursors.filter((id) => id !== undefined) };
  }

  /**
   * A place in the channel of the request's own URL, when its first poll has ended or takes long.
   *
   * @param use - Gets it, unless the poll was refused: then the site is to refuse by itself.
   */
  async settledSubscription(
    exchange: Exchange,
    endpoint: Endpoint,
    cursors: readonly (string | undefined)[],
    use: (subscription: Subscription) => Promise<LiveResult>,
  ): Promise<LiveResult> {
    const subscription = this.subscription(exchange, endpoint, exchange.target, cursors);
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
