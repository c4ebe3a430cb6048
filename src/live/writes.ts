import type { Endpoint } from './endpoint.ts';
import type { HttpExchange } from './exchange.ts';
import { RequestWatch } from './named-requests.ts';
import type { Supply } from './supply.ts';

/**
 * Watches requests that pass through for those that change what an endpoint shows: from their begin
 * on the last known state answers nobody, and after them it is polled at once, for everybody.
 */
export class Writes {
  readonly #feeds: Pick<Supply, 'beginWrite'>;
  readonly #endpoints: readonly Endpoint[];
  readonly #watch: RequestWatch;

  constructor(feeds: Pick<Supply, 'beginWrite'>, endpoints: readonly Endpoint[]) {
    this.#feeds = feeds;
    this.#endpoints = endpoints;
    this.#watch = new RequestWatch(endpoints.flatMap(({ config }) => config.refreshOn ?? []));
  }

  /** A request is left for the site. */
  onPass(exchange: HttpExchange): void {
    if (this.#endpoints.length === 0) return;
    const segments = this.#watch.segmentsOf(exchange);
    if (!segments) return;
    const { req, res, target } = exchange;
    const method = req.method ?? '';
    const path = target.split('?', 1)[0] ?? '';
    const end = this.#feeds.beginWrite({ method, path, segments });
    // What was refused has changed nothing; of what broke off nobody knows.
    res.once('close', () => end(res.statusCode < 400 || res.statusCode >= 500));
  }
}
