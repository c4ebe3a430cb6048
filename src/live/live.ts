import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestPattern } from '../config/request-pattern.ts';
import { OWN_PREFIX } from '../protocol/surface.ts';
import type { Clock } from '../shared/clock.ts';
import { ownOrigin } from '../shared/downstream.ts';
import { ProxyError } from '../shared/errors.ts';
import { eventText } from '../shared/event-text.ts';
import type { Logger } from '../shared/logger.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { corsHeaders } from '../transport/gate.ts';
import { acceptsEventStream, acceptsGzip } from '../transport/negotiate.ts';
import { DEFAULTS, readParameters } from '../transport/parameters.ts';
import { bareSse } from '../transport/sse.ts';
import { httpTransports, ownUrlGate } from '../transport/transports.ts';
import type { AbsorberOptions } from './absorber.ts';
import { Absorber } from './absorber.ts';
import { Admission } from './admission.ts';
import type { Buffered } from './buffered.ts';
import { Catalog } from './catalog.ts';
import type { Endpoint, LivePath } from './endpoint.ts';
import { allowsTransport } from './endpoint.ts';
import type { HttpExchange, LiveResult, UpgradeExchange } from './exchange.ts';
import { lastEventId } from './exchange.ts';
import type { LimitLog } from './limit-log.ts';
import type { LiveHeaders } from './live-headers.ts';
import { Logouts } from './logouts.ts';
import type { Reading } from './refusals.ts';
import { framingOptions, refuseForgedPost, tellRefusal } from './refusals.ts';
import { peekContent } from './request-content.ts';
import type { Shadow } from './shadow.ts';
import { Sockets } from './sockets.ts';
import type { Subscription } from './stream.ts';
import { needsProof, parseWantedUrls, refuseTwins } from './stream-query.ts';
import type { Streams } from './streams.ts';
import type { Supply } from './supply.ts';
import type { Tickets } from './tickets.ts';
import type { Wanted } from './wanted.ts';
import { findWanted, mayBeWanted } from './wanted.ts';
import { Writes } from './writes.ts';

/** What the live half of the proxy is made of. */
export interface LiveOptions {
  readonly feeds: Supply;
  readonly streams: Streams;
  readonly clock: Clock;
  readonly log: Logger;
  readonly endpoints: readonly Endpoint[];
  /** What is live at a path, if it is. */
  readonly livePathOf: (target: string) => LivePath | undefined;
  /** Requests by which clients end their sessions. */
  readonly logoutOn: readonly RequestPattern[];
  /** Other origins that may read streams. */
  readonly origins: readonly string[];
  readonly limitLog: LimitLog;
  readonly tickets: Tickets;
  readonly liveHeaders: LiveHeaders;
  readonly shadow: Shadow;
  readonly pageChange?: AbsorberOptions['pageChange'];
  readonly onPageLoad?: AbsorberOptions['onPageLoad'];
  readonly buffered: Pick<Buffered, 'isFull'>;
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
  /** What plain requests ask for: also those by `POST` change nothing. */
  readonly #polls = new WeakMap<IncomingMessage, Wanted>();
  readonly #logouts: Logouts;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#admission = new Admission(options);
    this.#catalog = new Catalog(options);
    this.#absorber = new Absorber({ ...options, admission: this.#admission });
    this.#writes = new Writes(options.feeds, options.endpoints);
    this.#logouts = new Logouts([options.tickets, options.feeds], options.logoutOn);
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
  async handleOwnUrl(exchange: HttpExchange, { endpoints }: LivePath): Promise<LiveResult> {
    const { req } = exchange;
    if (this.#logouts.isMeant(exchange)) return 'pass';
    const wanted = await this.#wanted(exchange, endpoints);
    if (!wanted) return 'pass';
    this.#polls.set(req, wanted);
    if (!wanted.content) return this.#answerOwnUrl(exchange, wanted);
    let result: LiveResult = 'answered';
    try {
      result = await this.#answerOwnUrl(exchange, wanted);
      return result;
    } finally {
      // Nobody reads the body, and what is unread keeps the connection from going on.
      if (result === 'answered') req.resume();
    }
  }

  async #answerOwnUrl(exchange: HttpExchange, wanted: Wanted): Promise<LiveResult> {
    const { req } = exchange;
    if (!acceptsEventStream(req.headers.accept)) return this.#absorber.answer(exchange, wanted);
    if (!allowsTransport(wanted.endpoint, 'sse')) throw new ProxyError('TRANSPORT_NOT_ALLOWED');
    const foreign = this.#admission.check(exchange, ownUrlGate);
    const reading = { framing: bareSse, parameters: DEFAULTS, foreign };
    try {
      return await this.#streamBare(exchange, wanted, reading);
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

  /**
   * A request that is left for the site.
   *
   * @returns to be called with the status of the answer before the client gets it, if wanted; gives
   *   headers to add.
   */
  onPass(exchange: HttpExchange): ((status: number) => RawHeaders) | undefined {
    const wanted = this.#polls.get(exchange.req);
    if (!wanted?.content) this.#writes.onPass(exchange);
    this.#absorber.onPass(exchange);
    const onLogout = this.#logouts.onPass(exchange);
    const { liveHeaders } = this.#options;
    if (!onLogout && !(wanted && liveHeaders.isTold)) return undefined;
    return (status) => {
      onLogout?.(status);
      return wanted ? liveHeaders.ofPassed(exchange, wanted, status) : [];
    };
  }

  /** A client loads a page through another process. */
  onPageLoad(client: string): void {
    this.#absorber.forget(client);
  }

  /** An upgrade to WebSocket on an endpoint's own URL. @throws {ProxyError} when it is refused. */
  async upgradeOwnUrl(exchange: UpgradeExchange, { endpoints }: LivePath): Promise<LiveResult> {
    const { target } = exchange;
    const wanted = findWanted(endpoints, { method: 'GET', target, content: undefined });
    return wanted ? this.#sockets.openBare(exchange, wanted) : 'pass';
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
    const own = ownOrigin(exchange.downstream);
    const urls = parseWantedUrls(query, own, isSingle ? 1 : urlsPerStream);
    if (urls.length === 0) throw new ProxyError('BAD_URL', 'no "url"');
    if (urls.some(needsProof)) refuseForgedPost(exchange, 'request');
    const isElsewhere = reading.foreign !== undefined && isPublicAcrossOrigins;
    const asked = urls.map((url) => {
      const found = this.#catalog.find(url, name, exchange);
      return { ...found, cursors: [lastEventId(exchange), ...found.cursors] };
    });
    if (isElsewhere && asked.some(({ admitted }) => admitted?.wanted.endpoint.isPrivate)) {
      throw new ProxyError('CROSS_SITE');
    }
    refuseTwins(asked);
    const leave = this.#admission.enter(exchange.downstream);
    try {
      const subscriptions = asked.map((one) => this.#catalog.subscription(one));
      await this.#answer(exchange, subscriptions, reading, leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** What a request on an endpoint's own URL wants; `undefined` when it is the site's alone. */
  async #wanted(
    { req, target }: HttpExchange,
    endpoints: readonly Endpoint[],
  ): Promise<Wanted | undefined> {
    const { method = '' } = req;
    const mayBePoll =
      method === 'POST' && endpoints.some((endpoint) => mayBeWanted(endpoint, method, target));
    const content = mayBePoll ? await peekContent(req, this.#options.clock) : undefined;
    return findWanted(endpoints, { method, target, content });
  }

  async #streamBare(exchange: HttpExchange, wanted: Wanted, reading: Reading): Promise<LiveResult> {
    const leave = this.#admission.enter(exchange.downstream);
    let result: LiveResult = 'pass';
    try {
      const cursors = [lastEventId(exchange)];
      result = await this.#catalog.settledSubscription(
        exchange,
        wanted,
        cursors,
        async (subscription) => {
          const { snapshot } = subscription.feed.channel;
          if (snapshot && !eventText(snapshot)) throw new ProxyError('NOT_TEXT');
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
    const { maxBytes, waitMs, isAnswer } = parameters;
    // A long poll that waits says by its silence that nothing has changed.
    const confirms = isAnswer && (framing.delivery === 'stream' || waitMs === 0);
    return this.#options.streams.answer(exchange, subscriptions, {
      framing,
      options: framingOptions(exchange, reading),
      headers: { ...cors, vary },
      gzip,
      maxBytes,
      waitMs,
      confirms,
      onClose,
    });
  }
}

function isHttpTransport(name: string): name is keyof typeof httpTransports {
  return Object.hasOwn(httpTransports, name);
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
