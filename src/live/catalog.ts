import type { TransportName } from '../protocol/surface.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Endpoint } from './endpoint.ts';
import { allowsTransport } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import type { Feeds } from './feeds.ts';
import type { Subscription } from './stream.ts';

/** What the catalog looks things up in. */
export interface CatalogOptions {
  readonly feeds: Feeds;
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
    const place = this.#options.feeds.find({ endpoint, target, downstream, rawHeaders });
    if (!place) throw new ProxyError('TOO_MANY_CHANNELS');
    const { mayCompress } = endpoint;
    return { ...place, mayCompress, cursors: cursors.filter((id) => id !== undefined) };
  }
}
