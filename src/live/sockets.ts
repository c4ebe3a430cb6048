import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { Clock } from '../shared/clock.ts';
import { ownOrigin } from '../shared/downstream.ts';
import type { Logger } from '../shared/logger.ts';
import type { ConnectionHooks } from '../transport/connection.ts';
import { readParameters } from '../transport/parameters.ts';
import { webSocketGate } from '../transport/transports.ts';
import type { WebSocketOptions } from '../transport/websocket.ts';
import { answers, bodies, envelopes, WebSocketConnection } from '../transport/websocket.ts';
import type { Admission, Leave } from './admission.ts';
import type { Catalog } from './catalog.ts';
import { allowsTransport } from './endpoint.ts';
import type { LiveResult, UpgradeExchange } from './exchange.ts';
import { refuseForgedPost } from './refusals.ts';
import { SocketSession } from './socket-session.ts';
import type { Subscription } from './stream.ts';
import { needsProof, parseWantedUrls, refuseTwins } from './stream-query.ts';
import type { Streams } from './streams.ts';
import { HEARTBEAT_MS, STALL_MS } from './streams.ts';
import type { Wanted } from './wanted.ts';

/** What WebSockets are made of. */
export interface SocketsOptions {
  readonly admission: Admission;
  readonly catalog: Catalog;
  readonly streams: Streams;
  readonly clock: Clock;
  readonly log: Logger;
  /** Offer to compress messages. */
  readonly webSocketCompression: boolean;
  readonly limits: { readonly urlsPerStream: number; readonly messageBytes: number };
}

/** Streams over WebSocket. */
export class Sockets {
  readonly #options: SocketsOptions;
  readonly #server: WebSocketServer;

  constructor(options: SocketsOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      ...CLOSING,
      maxPayload: options.limits.messageBytes,
      perMessageDeflate: options.webSocketCompression && {
        // Without context a compressed message is the same for everybody.
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
        concurrencyLimit: 4,
      },
    });
  }

  /**
   * A stream of envelopes, whose client may add and remove URLs.
   *
   * @throws {ProxyError} when it is refused.
   */
  open(exchange: UpgradeExchange, query: URLSearchParams): void {
    const { catalog, admission, streams, log, limits } = this.#options;
    // SECURITY: before the 101; browsers ask nobody whether a page may open a WebSocket anywhere.
    admission.check(exchange, webSocketGate);
    const own = ownOrigin(exchange.downstream);
    const urls = parseWantedUrls(query, own, limits.urlsPerStream);
    if (urls.some(needsProof)) refuseForgedPost(exchange, 'upgrade');
    const { isAnswer, isBeating } = readParameters(query, ['answer', 'beat']);
    const asked = urls.map((url) => catalog.find(url, 'ws', exchange));
    refuseTwins(asked);
    const leave = admission.enter(exchange.downstream);
    try {
      const subscriptions = asked.map((one) => catalog.subscription(one));
      this.#accept(exchange, leave, (ws) => {
        // Messages come in a later turn than this one: the session is there by then.
        const connect = (hooks: ConnectionHooks) =>
          this.#connect(ws, exchange, {
            ...hooks,
            framer: isAnswer ? answers : envelopes,
            beats: isBeating,
            saysFarewell: true,
            onMessage: (text, tell) => session.read(text, tell),
          });
        const stream = streams.open({
          carriesBinary: true,
          carriesPatches: true,
          confirms: isAnswer,
          transport: 'ws',
          urls: undefined,
          connect,
          onClose: leave,
        });
        const { urlsPerStream: maxUrls } = limits;
        const session = new SocketSession({ catalog, exchange, stream, maxUrls, log });
        for (const subscription of subscriptions) stream.add(subscription);
      });
    } catch (error) {
      leave();
      throw error;
    }
  }

  /**
   * A stream whose messages are the bodies of one URL.
   *
   * @throws {ProxyError} when it is refused.
   */
  async openBare(exchange: UpgradeExchange, wanted: Wanted): Promise<LiveResult> {
    const { catalog, admission } = this.#options;
    // Then it can only be meant for the site.
    if (!allowsTransport(wanted.endpoint, 'ws')) return 'pass';
    admission.check(exchange, webSocketGate);
    const leave = admission.enter(exchange.downstream);
    let result: LiveResult = 'pass';
    try {
      result = await catalog.settledSubscription(exchange, wanted, [], async (subscription) => {
        const { channel } = subscription.feed;
        // A URL that gives no state may be a WebSocket of the site's own: many of those answer a
        // plain GET with 400 or 426.
        if (channel.isStale && !channel.snapshot) return 'pass';
        this.#accept(exchange, leave, (ws) => this.#openBare(ws, exchange, subscription, leave));
        return 'answered';
      });
      return result;
    } finally {
      if (result === 'pass') leave();
    }
  }

  #openBare(
    ws: WebSocket,
    exchange: UpgradeExchange,
    subscription: Subscription,
    onClose: Leave,
  ): void {
    const connect = (hooks: ConnectionHooks) =>
      this.#connect(ws, exchange, {
        ...hooks,
        framer: bodies,
        beats: false,
        saysFarewell: false,
        onMessage: () => undefined, // nothing can be said to a bare stream
      });
    this.#options.streams
      .open({
        carriesBinary: true,
        carriesPatches: false,
        confirms: false,
        transport: 'ws',
        urls: 1,
        connect,
        onClose,
      })
      .add(subscription);
  }

  #accept(exchange: UpgradeExchange, leave: Leave, onOpen: (ws: WebSocket) => void): void {
    const { req, socket, head } = exchange;
    let isOpen = false;
    this.#server.handleUpgrade(req, socket, head, (ws) => {
      isOpen = true;
      onOpen(ws);
    });
    // The library has answered by itself, or the client has left.
    if (!isOpen) leave();
  }

  #connect(ws: WebSocket, exchange: UpgradeExchange, options: Connecting): WebSocketConnection {
    const { req, socket } = exchange;
    // Frames are shared, and made for the largest window: who wants a smaller one gets them plain.
    const extensions = req.headers['sec-websocket-extensions'] ?? '';
    return new WebSocketConnection(ws, socket, {
      ...options,
      clock: this.#options.clock,
      mayDeflate: !/server_max_window_bits/i.test(extensions),
      heartbeatMs: HEARTBEAT_MS,
      stallMs: STALL_MS,
      unread: this.#options.streams.unread,
    });
  }
}

type Connecting = Pick<
  WebSocketOptions,
  'onDrain' | 'onClose' | 'framer' | 'beats' | 'saysFarewell' | 'onMessage'
>;

/**
 * SECURITY: who does not answer a close frame has no seat any more, so its time is short. The
 * library's types do not know this option.
 */
const CLOSING = { closeTimeout: 2_000 };
