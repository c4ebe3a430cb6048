import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseCursor } from '../protocol/cursor.ts';
import type { TransportName } from '../protocol/surface.ts';
import { OWN_PREFIX, TRANSPORT_NAMES } from '../protocol/surface.ts';
import type { Clock } from '../shared/clock.ts';
import type { Downstream } from '../shared/downstream.ts';
import { ownOrigin } from '../shared/downstream.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { headerValue } from '../shared/raw-headers.ts';
import type { Framing } from '../transport/framing.ts';
import { corsHeaders, foreignOrigin, gateStream } from '../transport/gate.ts';
import { acceptsEventStream } from '../transport/negotiate.ts';
import { bareSse } from '../transport/sse.ts';
import { transports } from '../transport/transports.ts';
import { isAbsorbable, plainAnswer, unkeyedVary } from './absorb.ts';
import type { Endpoint } from './endpoint.ts';
import { allowsTransport } from './endpoint.ts';
import type { Feeds, FoundFeed } from './feeds.ts';
import { StreamLimits } from './stream-limits.ts';
import { parseStreamQuery } from './stream-query.ts';
import type { Streams, Subscription } from './streams.ts';

/** One request, with what the server has found out about it. */
export interface LiveExchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly downstream: Downstream;
}

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

/**
 * What became of a request on a live endpoint's own URL: answered here, or left for the site.
 */
export type LiveResult = 'answered' | 'pass';

/** How long a bare stream waits for the first state, so that refusals can have their status. */
const FIRST_STATE_MS = 2_000;
/** For how long answers that were meant for one client are taken to be so still. */
const PERSONAL_MEMORY_MS = 60_000;

/** Answers requests for live endpoints: streams, and plain requests from the last known state. */
export class Live {
  readonly #options: LiveOptions;
  readonly #limits: StreamLimits;
  readonly #warned = new Set<string>();
  #isDraining = false;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#limits = new StreamLimits(options.limits);
  }

  /**
   * A request on an endpoint's own URL.
   *
   * @throws {ProxyError} when a stream is refused. Plain requests are never refused: they pass.
   */
  async handleOwnUrl(exchange: LiveExchange, endpoint: Endpoint): Promise<LiveResult> {
    const { req } = exchange;
    if (req.method === 'GET' && acceptsEventStream(req.headers.accept)) {
      return this.#streamBare(exchange, endpoint);
    }
    if (endpoint.config.polls !== 'absorb') return 'pass';
    try {
      return await this.#absorb(exchange, endpoint);
    } catch (error) {
      // Fail open: whatever is wrong with us, the site can still answer.
      this.#options.log.error(
        { err: error, endpoint: endpoint.pattern.source },
        'absorbing failed',
      );
      return exchange.res.headersSent ? 'answered' : 'pass';
    }
  }

  /**
   * A request under `/_comet/`.
   *
   * @throws {ProxyError} when it is refused.
   */
  async handleSurface(exchange: LiveExchange): Promise<void> {
    const { req, res, target, downstream } = exchange;
    const [path = '', query = ''] = splitOnce(target, '?');
    const name = TRANSPORT_NAMES.find((known) => path === `${OWN_PREFIX}${known}`);
    if (!name) throw new ProxyError('NOT_FOUND');
    const cors = this.#gate(exchange);
    if (req.method === 'OPTIONS') return preflight(res, cors);
    if (req.method !== 'GET') throw new ProxyError('METHOD_NOT_ALLOWED');
    const own = ownOrigin(downstream);
    const asked = parseStreamQuery(query, own, this.#options.limits.urlsPerStream);
    const lastEventId = parseCursor(headerValue(req.rawHeaders, 'last-event-id'));
    const found = asked.wanted.map(({ target: wanted, since }) => {
      const endpoint = this.#streamable(wanted, name);
      const cursors = [lastEventId, since].filter((cursor) => cursor !== undefined);
      return { endpoint, target: wanted, cursors };
    });
    const framing = transports[name];
    if (!this.#admit(exchange, framing, cors)) return;
    const subscriptions: Subscription[] = [];
    for (const { endpoint, target: wanted, cursors } of found) {
      const place = this.#find(exchange, endpoint, wanted);
      if (!place) return this.#sendAway(exchange, framing, cors, 'TOO_MANY_CHANNELS');
      subscriptions.push({ ...place, cursors });
    }
    await this.#open(exchange, framing, subscriptions, cors, asked.paddingBytes);
  }

  /** End all streams, and refuse new ones from now on. */
  drain(windowMs: number): Promise<void> {
    this.#isDraining = true;
    return this.#options.streams.drain(windowMs);
  }

  async #streamBare(exchange: LiveExchange, endpoint: Endpoint): Promise<LiveResult> {
    const { req, target, downstream } = exchange;
    if (!allowsTransport(endpoint, 'sse')) throw new ProxyError('TRANSPORT_NOT_ALLOWED');
    const cors = this.#gate(exchange);
    if (!this.#admit(exchange, bareSse, cors)) return 'answered';
    const place = this.#find(exchange, endpoint, target);
    if (!place) {
      this.#sendAway(exchange, bareSse, cors, 'TOO_MANY_CHANNELS');
      return 'answered';
    }
    const { feed } = place;
    feed.join();
    const settled = await this.#firstState(place);
    const state = feed.channel.snapshot;
    if (settled === 'ended' || state?.encoding === 'base64') {
      feed.leave();
      this.#limits.release(downstream.address);
      if (settled === 'ended') return 'pass'; // the true refusal, with its status and headers
      throw new ProxyError('NOT_TEXT');
    }
    const cursor = parseCursor(headerValue(req.rawHeaders, 'last-event-id'));
    const cursors = cursor === undefined ? [] : [cursor];
    const opened = this.#open(exchange, bareSse, [{ ...place, cursors }], cors, 0);
    feed.leave(); // the stream has joined by itself
    await opened;
    return 'answered';
  }

  async #absorb(exchange: LiveExchange, endpoint: Endpoint): Promise<LiveResult> {
    const { req, res, target, downstream } = exchange;
    if (!isAbsorbable(req.method ?? '', req.rawHeaders)) return 'pass';
    // Only the site itself can say which other origins may read its plain answers.
    if (foreignOrigin(req.rawHeaders, ownOrigin(downstream)) !== undefined) return 'pass';
    const place = this.#find(exchange, endpoint, target);
    if (!place || this.#wasPersonal(endpoint, place)) return 'pass';
    const state = await place.feed.refresh();
    if (!state || this.#isPersonal(endpoint, place)) return 'pass';
    if (res.destroyed) return 'answered';
    const { vary } = endpoint.config;
    const answer = plainAnswer(state, vary, req.rawHeaders);
    res.writeHead(answer.status, answer.headers).end(answer.body);
    return 'answered';
  }

  /** Known from a poll a while ago: polling at once again would only cost the site a request. */
  #wasPersonal(endpoint: Endpoint, place: FoundFeed): boolean {
    const { lastPoll } = place.feed.channel;
    const isRecent = lastPoll && this.#options.clock.now() - lastPoll.at < PERSONAL_MEMORY_MS;
    return isRecent === true && this.#isPersonal(endpoint, place);
  }

  /** SECURITY: an answer that was meant for one client is not given to another. */
  #isPersonal(endpoint: Endpoint, { feed: { channel } }: FoundFeed): boolean {
    const state = channel.retained;
    const unkeyed = state && unkeyedVary(state, endpoint.config.vary);
    if (!unkeyed && !channel.lastPoll?.setsCookie) return false;
    const pattern = endpoint.pattern.source;
    if (!this.#warned.has(pattern)) {
      this.#warned.add(pattern);
      const reason = unkeyed
        ? `its answers vary on "${unkeyed}", which is not in "vary"`
        : 'its answers set cookies';
      this.#options.log.warn({ endpoint: pattern }, `plain requests are passed through: ${reason}`);
    }
    return true;
  }

  #gate({ req, downstream }: LiveExchange): Record<string, string> {
    const gate = gateStream(req.rawHeaders, ownOrigin(downstream), this.#options.origins);
    if (gate.kind === 'refused') throw new ProxyError(gate.code);
    return corsHeaders(gate.corsOrigin);
  }

  #streamable(target: string, name: TransportName): Endpoint {
    const endpoint = this.#options.endpointOf(target);
    if (!endpoint) throw new ProxyError('NOT_LIVE');
    if (!allowsTransport(endpoint, name)) throw new ProxyError('TRANSPORT_NOT_ALLOWED');
    return endpoint;
  }

  /** Take a place for a stream. False when there is none, and the request has its answer. */
  #admit(exchange: LiveExchange, framing: Framing, cors: Record<string, string>): boolean {
    const refused: ErrorCode | undefined = this.#isDraining
      ? 'DRAINING'
      : this.#limits.take(exchange.downstream.address);
    if (refused) this.#comeBackLater(exchange, framing, cors, refused);
    return !refused;
  }

  /** Refuse a stream that has taken its place already. */
  #sendAway(
    exchange: LiveExchange,
    framing: Framing,
    cors: Record<string, string>,
    code: ErrorCode,
  ): void {
    this.#limits.release(exchange.downstream.address);
    this.#comeBackLater(exchange, framing, cors, code);
  }

  /** EventSource gives up for good on any status but 200: it has to be told inside a stream. */
  #comeBackLater(
    { res }: LiveExchange,
    framing: Framing,
    cors: Record<string, string>,
    code: ErrorCode,
  ): void {
    if (framing.transport !== 'sse') throw new ProxyError(code);
    const retryMs = 15_000 + this.#options.random() * 30_000;
    const headers = { ...framing.headers, 'cache-control': 'no-store', ...cors };
    res.writeHead(200, headers).end(`:${code}\n${framing.farewell(retryMs)}`);
  }

  #find(exchange: LiveExchange, endpoint: Endpoint, target: string): FoundFeed | undefined {
    const { req, downstream } = exchange;
    return this.#options.feeds.find({ endpoint, target, downstream, rawHeaders: req.rawHeaders });
  }

  #open(
    { req, res, downstream }: LiveExchange,
    framing: Framing,
    subscriptions: readonly Subscription[],
    cors: Record<string, string>,
    paddingBytes: number,
  ): Promise<void> {
    const onClose = () => this.#limits.release(downstream.address);
    const headers = { ...cors, vary: [cors['vary'], 'Accept'].filter(Boolean).join(', ') };
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

function preflight(res: ServerResponse, cors: Record<string, string>): void {
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
