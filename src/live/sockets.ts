import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { Clock } from '../shared/clock.ts';
import { ownOrigin } from '../shared/downstream.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { webSocketGate } from '../transport/transports.ts';
import type { WebSocketOptions } from '../transport/websocket.ts';
import { bodies, envelopes, WebSocketConnection } from '../transport/websocket.ts';
import type { Admission, Leave } from './admission.ts';
import type { Catalog } from './catalog.ts';
import type { Endpoint } from './endpoint.ts';
import { allowsTransport } from './endpoint.ts';
import type { LiveResult, UpgradeExchange } from './exchange.ts';
import { SocketSession } from './socket-session.ts';
import type { Stream } from './stream.ts';
import { parseWantedUrls } from './stream-query.ts';
import type { Streams } from './streams.ts';
import { HEARTBEAT_MS, STALL_MS } from './streams.ts';

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
    const { catalog, admission, limits } = this.#options;
    // SECURITY: before the 101; browsers ask nobody whether a page may open a WebSocket anywhere.
    admission.check(exchange, webSocketGate);
    const own = ownOrigin(exchange.downstream);
    const wanted = parseWantedUrls(query, own, limits.urlsPerStream);
    const places = wanted.map(({ target, since }) => ({
      target,
      since,
      endpoint: catalog.endpoint(target, 'ws'),
    }));
    const leave = admission.enter(exchange.downstream);
    try {
      const subscriptions = places.map(({ target, since, endpoint }) =>
        catalog.subscription(exchange, endpoint, target, [since]),
      );
      this.#accept(exchange, leave, (ws) => {
        const session = new SocketSession({
          catalog,
          exchange,
          maxUrls: limits.urlsPerStream,
          log: this.#options.log,
        });
        const connect = (hooks: Hooks) => {
          const connection = this.#connect(ws, exchange, {
            ...hooks,
            framer: envelopes,
            saysFarewell: true,
            onMessage: (text) => session.read(text),
          });
          session.tell = (text) => connection.tell(text);
          return connection;
        };
        const stream = this.#options.streams.open({
          carriesBinary: true,
          carriesPatches: true,
          urls: undefined,
          connect,
          onClose: leave,
        });
        session.stream = stream;
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
  async openBare(exchange: UpgradeExchange, endpoint: Endpoint): Promise<LiveResult> {
    const { catalog, admission, streams } = this.#options;
    if (!allowsTransport(endpoint, 'ws')) throw new ProxyError('TRANSPORT_NOT_ALLOWED');
    admission.check(exchange, webSocketGate);
    const leave = admission.enter(exchange.downstream);
    let joined: { leave(): void } | undefined;
    try {
      const subscription = catalog.subscription(exchange, endpoint, exchange.target, []);
      const { feed } = subscription;
      joined = feed;
      feed.join();
      await streams.settled([subscription]);
      if (feed.hasEnded) {
        leave();
        return 'pass'; // the true refusal, or the site's own WebSocket
      }
      this.#accept(exchange, leave, (ws) => {
        const stream: Stream = streams.open({
          carriesBinary: true,
          carriesPatches: false,
          urls: 1,
          onClose: leave,
          connect: (hooks) =>
            this.#connect(ws, exchange, {
              ...hooks,
              framer: bodies,
              saysFarewell: false,
              onMessage: () => undefined, // nothing can be said to a bare stream
            }),
        });
        stream.add(subscription);
      });
      return 'answered';
    } catch (error) {
      leave();
      throw error;
    } finally {
      joined?.leave(); // the stream has joined by itself
    }
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

  #connect(ws: WebSocket, { socket }: UpgradeExchange, options: Connecting): WebSocketConnection {
    const { clock } = this.#options;
    const watch = { clock, heartbeatMs: HEARTBEAT_MS, stallMs: STALL_MS };
    return new WebSocketConnection(ws, socket, { ...watch, ...options });
  }
}

type Hooks = Pick<WebSocketOptions, 'onDrain' | 'onClose'>;
type Connecting = Omit<WebSocketOptions, 'clock' | 'heartbeatMs' | 'stallMs'>;
