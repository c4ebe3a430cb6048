import type { ServerResponse } from 'node:http';
import { parseCursor } from '../protocol/cursor.ts';
import { OWN_PREFIX } from '../protocol/surface.ts';
import type { Clock } from '../shared/clock.ts';
import { ownOrigin } from '../shared/downstream.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { headerValue } from '../shared/raw-headers.ts';
import { corsHeaders } from '../transport/gate.ts';
import { acceptsEventStream, acceptsGzip } from '../transport/negotiate.ts';
import { DEFAULTS, readParameters } from '../transport/parameters.ts';
import { bareSse } from '../transport/sse.ts';
import { httpTransports, ownUrlGate } from '../transport/transports.ts';
import { Absorber } from './absorber.ts';
import { Admission } from './admission.ts';
import { Catalog } from './catalog.ts';
import type { Endpoint } from './endpoint.ts';
import { allowsTransport } from './endpoint.ts';
import type { Exchange, HttpExchange, LiveResult, UpgradeExchange } from './exchange.ts';
import type { Feeds } from './feeds.ts';
import type { Reading } from './refusals.ts';
import { framingOptions, tellRefusal } from './refusals.ts';
import { Sockets } from './sockets.ts';
import type { Subscription } from './stream.ts';
import { parseWantedUrls } from './stream-query.ts';
import type { Streams } from './streams.ts';
import { Writes } from './writes.ts';

/** What the live half of the proxy is made of. */
export interface LiveOptions {
  readonly feeds: Feeds;
  readonly streams: Streams;
  readonly clock: Clock;
  readonly log: Logger;
  readonly endpoints: readonly Endpoint[];
  /** The live endpoint of a path, if it is one. */
  readonly endpointOf: (target: string) => Endpoint | undefined;
  /** Other origins that may read streams. */
  readonly origins: readonly string[];
  /** Offer WebSocket clients to compress messages. */
  readonly webSocketCompression: boolean;
  readonly limits: {
    readonly streams: number;
    readonly streamsPerAddress: number;
    readonly urlsPerStream: number;
    readonly messageBytes: number;
    readonly sendTimeout: number;
  };
}

/** Answers requests for live endpoints: streams, and plain requests from the last known state. */
export class Live {
  readonly #options: LiveOptions;
  readonly #admission: Admission;
  readonly #catalog: Catalog;
  readonly #absorber: Absorber;
  readonly #sockets: Sockets;
  readonly #writes: Writes;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#admission = new Admission(options);
    this.#catalog = new Catalog(options);
    this.#absorber = new Absorber({ ...options, admission: this.#admission });
    this.#writes = new Writes(options.feeds, options.endpoints);
    this.#sockets = new Sockets({
      ...options,
      admission: this.#admission,
      catalog: this.#catalog,
    });
  }

  /**
   * A request on an endpoint's own URL.
   *
   * @throws {ProxyError} when a stream is refused. Plain requests are never refused: they pass.
   */
  async handleOwnUrl(exchange: HttpExchange, endpoint: Endpoint): Promise<LiveResult> {
    const { req } = exchange;
    if (req.method !== 'GET' || !acceptsEventStream(req.headers.accept)) {
      return this.#absorber.answer(exchange, endpoint);
    }
    if (!allowsTransport(endpoint, 'sse')) throw new ProxyError('TRANSPORT_NOT_ALLOWED');
    const foreign = this.#admission.check(exchange, ownUrlGate);
    const reading = { framing: bareSse, parameters: DEFAULTS, foreign };
    try {
      return await this.#streamBare(exchange, endpoint, reading);
    } catch (error) {
      tellRefusal(exchange, reading, error, this.#options.streams.comeBackMs());
      return 'answered';
    }
  }

  /**
   * A request under `/_comet/`.
   *
   * @throws {ProxyError} when it is refused.
   */
  async handleSurface(exchange: HttpExchange): Promise<void> {
    const { req, res, target } = exchange;
    const [path = '', search = ''] = splitOnce(target, '?');
    const name = path.slice(OWN_PREFIX.length);
    if (name === 'ws') throw new ProxyError('UPGRADE_REQUIRED');
    if (!isHttpTransport(name)) throw new ProxyError('NOT_FOUND');
    const transport = httpTransports[name];
    const query = new URLSearchParams(search);
    const parameters = readParameters(query, transport.parameters, transport.required);
    const foreign = this.#admission.check(exchange, transport.gate, parameters.origin);
    if (req.method === 'OPTIONS') return preflight(res, corsHeaders(foreign));
    if (req.method !== 'GET') throw new ProxyError('METHOD_NOT_ALLOWED');
    const reading = {
      framing: transport.framing(parameters),
      transport: name,
      parameters,
      foreign,
    };
    try {
      await this.#stream(exchange, name, query, reading);
    } catch (error) {
      tellRefusal(exchange, reading, error, this.#options.streams.comeBackMs());
    }
  }

  /** A request that is left for the site. */
  onPass(exchange: HttpExchange): void {
    this.#writes.onPass(exchange);
    this.#absorber.onPass(exchange);
  }

  /** An upgrade to WebSocket on an endpoint's own URL. @throws {ProxyError} when it is refused. */
  upgradeOwnUrl(exchange: UpgradeExchange, endpoint: Endpoint): Promise<LiveResult> {
    return this.#sockets.openBare(exchange, endpoint);
  }

  /** An upgrade to WebSocket under `/_comet/`. @throws {ProxyError} when it is refused. */
  upgradeSurface(exchange: UpgradeExchange): void {
    const [path, search = ''] = splitOnce(exchange.target, '?');
    if (path !== `${OWN_PREFIX}ws`) throw new ProxyError('NOT_FOUND');
    this.#sockets.open(exchange, new URLSearchParams(search));
  }

  /** End all streams, and refuse new ones from now on. */
  drain(windowMs: number): Promise<void> {
    this.#admission.close();
    this.#absorber.releaseHeld();
    return this.#options.streams.drain(windowMs);
  }

  async #stream(
    exchange: HttpExchange,
    name: keyof typeof httpTransports,
    query: URLSearchParams,
    reading: Reading,
  ): Promise<void> {
    const { isSingle, isPublicAcrossOrigins } = httpTransports[name];
    const { urlsPerStream } = this.#options.limits;
    const wanted = parseWantedUrls(
      query,
      ownOrigin(exchange.downstream),
      isSingle ? 1 : urlsPerStream,
    );
    if (wanted.length === 0) throw new ProxyError('BAD_URL', 'no "url"');
    const asked = wanted.map(({ target, since }) => {
      const endpoint = this.#catalog.endpoint(target, name);
      const isElsewhere = reading.foreign !== undefined && isPublicAcrossOrigins;
      if (isElsewhere && endpoint.isPrivate) throw new ProxyError('CROSS_SITE');
      return { target, endpoint, cursors: [lastEventId(exchange), since] };
    });
    const leave = this.#admission.enter(exchange.downstream);
    try {
      const subscriptions = asked.map(({ target, endpoint, cursors }) =>
        this.#catalog.subscription(exchange, endpoint, target, cursors),
      );
      await this.#answer(exchange, subscriptions, reading, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #streamBare(
    exchange: HttpExchange,
    endpoint: Endpoint,
    reading: Reading,
  ): Promise<LiveResult> {
    const leave = this.#admission.enter(exchange.downstream);
    let result: LiveResult = 'pass';
    try {
      const cursors = [lastEventId(exchange)];
      result = await this.#catalog.settledSubscription(
        exchange,
        endpoint,
        cursors,
        async (subscription) => {
          const { snapshot } = subscription.feed.channel;
          if (snapshot?.encoding === 'base64') throw new ProxyError('NOT_TEXT');
          await this.#answer(exchange, [subscription], reading, leave);
          return 'answered';
        },
      );
      return result;
    } finally {
      if (result === 'pass') leave();
    }
  }

  #answer(
    exchange: HttpExchange,
    subscriptions: readonly Subscription[],
    reading: Reading,
    onClose: () => void,
  ): Promise<void> {
    const { framing, parameters, foreign } = reading;
    const cors = corsHeaders(foreign);
    const vary = ['Accept', 'Accept-Encoding', cors['vary']].filter(Boolean).join(', ');
    const gzip =
      framing.delivery === 'stream' &&
      framing.isCompressible &&
      subscriptions.some(({ mayCompress }) => mayCompress) &&
      acceptsGzip(exchange.req);
    const { maxBytes, waitMs } = parameters;
    return this.#options.streams.answer(exchange, subscriptions, {
      framing,
      options: framingOptions(exchange, reading),
      headers: { ...cors, vary },
      gzip,
      maxBytes,
      waitMs,
      onClose,
    });
  }
}

function isHttpTransport(name: string): name is keyof typeof httpTransports {
  return Object.hasOwn(httpTransports, name);
}

function lastEventId({ req }: Exchange): string | undefined {
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
