import type { ServerResponse } from 'node:http';
import { parseCursor } from '../protocol/cursor.ts';
import { OWN_PREFIX } from '../protocol/surface.ts';
import type { Clock } from '../shared/clock.ts';
import { ownOrigin } from '../shared/downstream.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { headerValue } from '../shared/raw-headers.ts';
import { EVENT_HEADERS } from '../transport/connection.ts';
import type { Framing, FramingOptions } from '../transport/framing.ts';
import { corsHeaders } from '../transport/gate.ts';
import { acceptsEventStream, acceptsGzip } from '../transport/negotiate.ts';
import type { Parameters } from '../transport/parameters.ts';
import { DEFAULTS, readParameters } from '../transport/parameters.ts';
import { bareSse } from '../transport/sse.ts';
import type { HttpTransport } from '../transport/transports.ts';
import { httpTransports, ownUrlGate } from '../transport/transports.ts';
import { Absorber } from './absorber.ts';
import { Admission } from './admission.ts';
import { Catalog } from './catalog.ts';
import type { Endpoint } from './endpoint.ts';
import { allowsTransport } from './endpoint.ts';
import type { Exchange, HttpExchange, LiveResult, UpgradeExchange } from './exchange.ts';
import type { Feeds } from './feeds.ts';
import { Sockets } from './sockets.ts';
import type { Subscription } from './stream.ts';
import { parseWantedUrls } from './stream-query.ts';
import type { Streams } from './streams.ts';

/** What the live half of the proxy is made of. */
export interface LiveOptions {
  readonly feeds: Feeds;
  readonly streams: Streams;
  readonly clock: Clock;
  readonly log: Logger;
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
  };
}

/** One answer that is to carry events, as far as the request decides it. */
interface Reading {
  readonly framing: Framing;
  readonly parameters: Parameters;
  /** The origin of the page that reads, if it is not our own. */
  readonly foreign: string | undefined;
}

/** Answers requests for live endpoints: streams, and plain requests from the last known state. */
export class Live {
  readonly #options: LiveOptions;
  readonly #admission: Admission;
  readonly #catalog: Catalog;
  readonly #absorber: Absorber;
  readonly #sockets: Sockets;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#admission = new Admission(options);
    this.#catalog = new Catalog(options);
    this.#absorber = new Absorber({ ...options, admission: this.#admission });
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
    let result: LiveResult = 'answered';
    await this.#orTellRefusal(exchange, reading, async () => {
      result = await this.#streamBare(exchange, endpoint, reading);
    });
    return result;
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
    const reading = { framing: transport.framing(parameters), parameters, foreign };
    await this.#orTellRefusal(exchange, reading, () =>
      this.#stream(exchange, name, query, transport, reading),
    );
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
    transport: HttpTransport,
    reading: Reading,
  ): Promise<void> {
    const { urlsPerStream } = this.#options.limits;
    const own = ownOrigin(exchange.downstream);
    const wanted = parseWantedUrls(query, own, transport.isSingle ? 1 : urlsPerStream);
    if (wanted.length === 0) throw new ProxyError('BAD_URL', 'no "url"');
    const places = wanted.map(({ target, since }) => {
      const endpoint = this.#catalog.endpoint(target, name);
      const isElsewhere = reading.foreign !== undefined && transport.isPublicAcrossOrigins;
      if (isElsewhere && endpoint.isPrivate) throw new ProxyError('CROSS_SITE');
      return { target, endpoint, cursors: [lastEventId(exchange), since] };
    });
    const leave = this.#admission.enter(exchange.downstream);
    try {
      const subscriptions = places.map(({ target, endpoint, cursors }) =>
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
    const { target, downstream } = exchange;
    const leave = this.#admission.enter(downstream);
    let joined: Subscription['feed'] | undefined;
    try {
      const cursors = [lastEventId(exchange)];
      const subscription = this.#catalog.subscription(exchange, endpoint, target, cursors);
      joined = subscription.feed;
      joined.join();
      await this.#options.streams.settled([subscription]);
      if (joined.hasEnded) {
        leave();
        return 'pass'; // the true refusal, with its status and headers
      }
      if (joined.channel.snapshot?.encoding === 'base64') throw new ProxyError('NOT_TEXT');
      await this.#answer(exchange, [subscription], reading, leave);
      return 'answered';
    } catch (error) {
      leave();
      throw error;
    } finally {
      joined?.leave(); // the stream has joined by itself
    }
  }

  #answer(
    exchange: HttpExchange,
    subscriptions: readonly Subscription[],
    { framing, parameters, foreign }: Reading,
    onClose: () => void,
  ): Promise<void> {
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
      options: framingOptions(exchange, parameters, foreign),
      headers: { ...cors, vary },
      gzip,
      maxBytes,
      waitMs,
      onClose,
    });
  }

  /** Some transports' clients cannot see a status: they are told of a refusal in their own form. */
  async #orTellRefusal(
    exchange: HttpExchange,
    { framing, parameters, foreign }: Reading,
    stream: () => Promise<void>,
  ): Promise<void> {
    try {
      await stream();
    } catch (error) {
      const { res } = exchange;
      if (!(error instanceof ProxyError) || error.code === 'INTERNAL' || res.headersSent) {
        throw error;
      }
      const retryMs = this.#options.streams.comeBackMs();
      const options = { ...framingOptions(exchange, parameters, foreign), retryMs };
      const body = framing.refusal?.(error.code, options);
      if (body === undefined) throw error;
      const headers = { ...framing.headers(options), ...EVENT_HEADERS, ...corsHeaders(foreign) };
      const length = { 'content-length': String(Buffer.byteLength(body)) };
      res.writeHead(200, { ...headers, ...length }).end(body);
    }
  }
}

function framingOptions(
  { downstream }: Exchange,
  { paddingBytes, callback, frame }: Parameters,
  foreign: string | undefined,
): Omit<FramingOptions, 'retryMs'> {
  const page = foreign ?? ownOrigin(downstream);
  return { paddingBytes, callback, frame, page, isForeign: foreign !== undefined };
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
