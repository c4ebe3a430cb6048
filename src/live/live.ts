import type { ServerResponse } from 'node:http';
import { parseCursor } from '../protocol/cursor.ts';
import type { TransportName } from '../protocol/surface.ts';
import { OWN_PREFIX, TRANSPORT_NAMES } from '../protocol/surface.ts';
import type { Clock } from '../shared/clock.ts';
import { ownOrigin } from '../shared/downstream.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { headerValue } from '../shared/raw-headers.ts';
import { acceptsEventStream } from '../transport/negotiate.ts';
import { bareSse } from '../transport/sse.ts';
import { transports } from '../transport/transports.ts';
import { Absorber } from './absorber.ts';
import { Admission } from './admission.ts';
import type { Endpoint } from './endpoint.ts';
import { allowsTransport } from './endpoint.ts';
import type { LiveExchange, LiveResult, StreamRequest } from './exchange.ts';
import type { Feeds, FoundFeed } from './feeds.ts';
import { parseStreamQuery } from './stream-query.ts';
import type { Streams, Subscription } from './streams.ts';

/** What the live half of the proxy is made of. */
export interface LiveOptions {
  readonly feeds: Feeds;
  readonly streams: Streams;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** The live endpoint of a path, if it is one. */
  readonly endpointOf: (target: string) => Endpoint | undefined;
  /** Other origins that may read streams. */
  readonly origins: readonly string[];
  readonly limits: {
    readonly streams: number;
    readonly streamsPerAddress: number;
    readonly urlsPerStream: number;
  };
}

/** How long a bare stream waits for the first state, so that refusals can have their status. */
const FIRST_STATE_MS = 2_000;

/** Answers requests for live endpoints: streams, and plain requests from the last known state. */
export class Live {
  readonly #options: LiveOptions;
  readonly #admission: Admission;
  readonly #absorber: Absorber;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#admission = new Admission(options);
    this.#absorber = new Absorber(options);
  }

  /**
   * A request on an endpoint's own URL.
   *
   * @throws {ProxyError} when a stream is refused. Plain requests are never refused: they pass.
   */
  async handleOwnUrl(exchange: LiveExchange, endpoint: Endpoint): Promise<LiveResult> {
    const { req } = exchange;
    if (req.method === 'GET' && acceptsEventStream(req.headers.accept)) {
      if (!allowsTransport(endpoint, 'sse')) throw new ProxyError('TRANSPORT_NOT_ALLOWED');
      return this.#streamBare(this.#admission.check(exchange, bareSse), endpoint);
    }
    return endpoint.config.polls === 'absorb' ? this.#absorber.absorb(exchange, endpoint) : 'pass';
  }

  /**
   * A request under `/_comet/`.
   *
   * @throws {ProxyError} when it is refused.
   */
  async handleSurface(exchange: LiveExchange): Promise<void> {
    const { req, res, target } = exchange;
    const [path = '', query = ''] = splitOnce(target, '?');
    const name = TRANSPORT_NAMES.find((known) => path === `${OWN_PREFIX}${known}`);
    if (!name) throw new ProxyError('NOT_FOUND');
    const request = this.#admission.check(exchange, transports[name]);
    if (req.method === 'OPTIONS') return preflight(res, request.cors);
    if (req.method !== 'GET') throw new ProxyError('METHOD_NOT_ALLOWED');
    await this.#streamEnveloped(request, name, query);
  }

  /** End all streams, and refuse new ones from now on. */
  drain(windowMs: number): Promise<void> {
    this.#admission.close();
    return this.#options.streams.drain(windowMs);
  }

  async #streamEnveloped(
    request: StreamRequest,
    name: TransportName,
    query: string,
  ): Promise<void> {
    const { limits } = this.#options;
    const asked = parseStreamQuery(query, ownOrigin(request.downstream), limits.urlsPerStream);
    const wanted = asked.wanted.map(({ target, since }) => ({
      target,
      endpoint: this.#streamable(target, name),
      cursors: [lastEventId(request), since].filter((id) => id !== undefined),
    }));
    if (!this.#admission.enter(request)) return;
    const subscriptions: Subscription[] = [];
    for (const { target, endpoint, cursors } of wanted) {
      const place = this.#find(request, endpoint, target);
      if (!place) return this.#admission.sendAway(request, 'TOO_MANY_CHANNELS');
      subscriptions.push({ ...place, cursors });
    }
    await this.#open(request, subscriptions, asked.paddingBytes);
  }

  async #streamBare(request: StreamRequest, endpoint: Endpoint): Promise<LiveResult> {
    if (!this.#admission.enter(request)) return 'answered';
    const place = this.#find(request, endpoint, request.target);
    if (!place) {
      this.#admission.sendAway(request, 'TOO_MANY_CHANNELS');
      return 'answered';
    }
    const { feed } = place;
    feed.join();
    const settled = await this.#firstState(place);
    if (settled === 'ended' || feed.channel.snapshot?.encoding === 'base64') {
      feed.leave();
      this.#admission.leave(request);
      if (settled === 'ended') return 'pass'; // the true refusal, with its status and headers
      throw new ProxyError('NOT_TEXT');
    }
    const cursors = [lastEventId(request)].filter((id) => id !== undefined);
    const opened = this.#open(request, [{ ...place, cursors }], 0);
    feed.leave(); // the stream has joined by itself
    await opened;
    return 'answered';
  }

  #streamable(target: string, name: TransportName): Endpoint {
    const endpoint = this.#options.endpointOf(target);
    if (!endpoint) throw new ProxyError('NOT_LIVE');
    if (!allowsTransport(endpoint, name)) throw new ProxyError('TRANSPORT_NOT_ALLOWED');
    return endpoint;
  }

  #find({ req, downstream }: LiveExchange, endpoint: Endpoint, target: string) {
    return this.#options.feeds.find({ endpoint, target, downstream, rawHeaders: req.rawHeaders });
  }

  #open(
    request: StreamRequest,
    subscriptions: readonly Subscription[],
    paddingBytes: number,
  ): Promise<void> {
    const { req, res, framing, cors } = request;
    const headers = { ...cors, vary: [cors['vary'], 'Accept'].filter(Boolean).join(', ') };
    const onClose = () => this.#admission.leave(request);
    const options = { framing, headers, paddingBytes, onClose };
    return this.#options.streams.open(req, res, subscriptions, options);
  }

  /** The first outcome of the feed, or `known` when it takes too long to wait for. */
  #firstState({ feed }: FoundFeed): Promise<'known' | 'ended'> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(FIRST_STATE_MS, () => resolve('known'));
      void feed.settled.then((settled) => {
        timer.cancel();
        resolve(settled);
      });
    });
  }
}

function lastEventId({ req }: LiveExchange): string | undefined {
  return parseCursor(headerValue(req.rawHeaders, 'last-event-id'));
}

function preflight(res: ServerResponse, cors: Readonly<Record<string, string>>): void {
  res
    .writeHead(204, {
      ...cors,
      'access-control-allow-methods': 'GET',
      'access-control-allow-headers': 'Last-Event-ID, Cache-Control',
      'access-control-max-age': '600',
    })
    .end();
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator);
  return index === -1 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}
