import { controlEvent } from '../protocol/event.ts';
import type { TransportName } from '../protocol/surface.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Asked } from './asked.ts';
import { endedFeed } from './ended-feed.ts';
import type { LivePath } from './endpoint.ts';
import { allowsTransport } from './endpoint.ts';
import type { Exchange, LiveResult } from './exchange.ts';
import { clientOf } from './exchange.ts';
import type { Subscription } from './stream.ts';
import type { WantedUrl } from './stream-query.ts';
import type { Streams } from './streams.ts';
import type { Supply } from './supply.ts';
import type { Admitted, Tickets } from './tickets.ts';
import type { Wanted } from './wanted.ts';
import { addressOf, findWanted } from './wanted.ts';

/** What the catalog looks things up in. */
export interface CatalogOptions {
  readonly feeds: Supply;
  readonly streams: Streams;
  /** What is live at a path, if it is. */
  readonly livePathOf: (target: string) => LivePath | undefined;
  readonly tickets: Pick<Tickets, 'redeem'>;
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
  find(asked: WantedUrl, transport: TransportName, exchange: Exchange): Asked {
    const { target, name, content, ticket, since } = asked;
    const cursors = [since];
    const { endpoints } = this.#options.livePathOf(target) ?? { endpoints: [] };
    const admitted =
      ticket === undefined
        ? wantedBy(
            exchange,
            findWanted(endpoints, { method: content ? 'POST' : 'GET', target, content }),
          )
        : this.#redeem(ticket, target, exchange);
    if (!admitted) return { url: `${target}${name}`, admitted, cursors };
    const { endpoint, url } = admitted.wanted;
    if (!allowsTransport(endpoint, transport)) throw new ProxyError('TRANSPORT_NOT_ALLOWED');
    return { url: `${url}${name}`, admitted, cursors };
  }

  #redeem(ticket: string, target: string, exchange: Exchange): Admitted | undefined {
    const admitted = this.#options.tickets.redeem(ticket, clientOf(exchange));
    if (!admitted) return undefined;
    const { endpoint, url } = admitted.wanted;
    return addressOf(endpoint, target) === url ? admitted : undefined;
  }

  /** The addresses that events of a URL may be told under, whatever is asked for there. */
  addresses({ target, name }: Pick<WantedUrl, 'target' | 'name'>): readonly string[] {
    const { endpoints } = this.#options.livePathOf(target) ?? { endpoints: [] };
    return endpoints.map((endpoint) => `${addressOf(endpoint, target)}${name}`);
  }

  /** A place in the channel of what is asked for. @throws {ProxyError} when there is none. */
  subscription({ url, admitted, cursors }: Asked): Subscription {
    if (!admitted) return { feed: endedFeed(url, NO_TICKET), url, mayCompress: false, cursors: [] };
    const { wanted, client } = admitted;
    const found = this.#options.feeds.findForStream(wanted, client);
    const { mayCompress } = wanted.endpoint;
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
    const admitted = { wanted, client: clientOf(exchange) };
    const subscription = this.subscription({ url: wanted.url, admitted, cursors });
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

/** The next request of the page brings another one. */
const NO_TICKET = controlEvent('unauthorized', undefined, { status: 403, reason: 'ticket' });

/** @throws {ProxyError} `NOT_LIVE`. */
function wantedBy(exchange: Exchange, wanted: Wanted | undefined): Admitted {
  if (!wanted) throw new ProxyError('NOT_LIVE');
  return { wanted, client: clientOf(exchange) };
}
