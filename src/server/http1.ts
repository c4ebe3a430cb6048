import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ErrorCode } from '../shared/errors.ts';
import { Answers } from './answers.ts';
import { refuse } from './respond.ts';
import { declineUpgrade, isWebSocket } from './upgrade.ts';

/** What HTTP/1 connections are for. */
export interface Http1Options {
  readonly headerBytes: number;
  readonly timeouts: Http1Timeouts;
  readonly onRequest: (req: IncomingMessage, res: ServerResponse) => void;
  /** An upgrade to WebSocket, its request checked for form. */
  readonly onUpgrade: (req: IncomingMessage, socket: Socket, head: Buffer) => void;
  /** A request that waits to be told to go on with its body, or with another expectation. */
  readonly onExpect: (req: IncomingMessage, res: ServerResponse) => void;
}

/** How long clients may take. */
export interface Http1Timeouts {
  /** For the head of a request, from the start of the connection or from its first byte. */
  readonly headersMs: number;
  /** How often that is looked at. */
  readonly checkMs: number;
  /** Without a request on a connection that had one. */
  readonly idleMs: number;
}

/** Speaks HTTP/1 on connections that somebody else has accepted. */
export interface Http1 {
  serve(socket: Socket): void;
  /** From now on every answer is the last one of its connection. */
  beLast(): void;
  /** End the connections on which nothing is under way. */
  closeIdle(): void;
  /** Stop looking at connections, which are all over. */
  close(): void;
}

/** Make a server of HTTP/1 that never listens: it is given connections. */
export function createHttp1(options: Http1Options): Http1 {
  const { timeouts } = options;
  const server = createServer({
    maxHeaderSize: options.headerBytes,
    headersTimeout: timeouts.headersMs,
    // Uploads may take their time; Node would cut them, and the streams behind them.
    requestTimeout: 0,
    connectionsCheckingInterval: timeouts.checkMs,
    keepAliveTimeout: timeouts.idleMs,
    insecureHTTPParser: false,
    requireHostHeader: false, // the guard checks it, and says what is wrong
  });
  server.maxHeadersCount = 0; // counted by the guard, which refuses what Node would drop
  server.timeout = 0;
  // By this event Node begins to look for heads that take too long.
  server.emit('listening');
  const answers = new Answers();
  /** Connections that have had no request yet, with the bytes read before they came here. */
  const unused = new Map<Duplex, number>();
  let areLast = false;

  const noting =
    (handle: (req: IncomingMessage, res: ServerResponse) => void) =>
    (req: IncomingMessage, res: ServerResponse) => {
      unused.delete(req.socket);
      answers.add(req, res);
      if (areLast) res.shouldKeepAlive = false;
      handle(req, res);
    };
  server.on('request', noting(options.onRequest));
  // Whoever answers says when the body is wanted: a refusal comes without.
  server.on('checkContinue', noting(options.onExpect));
  server.on('checkExpectation', noting(options.onExpect));
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    unused.delete(socket);
    // Pipelined behind a request: Node has detached its parser, so no answer can follow in order.
    if (answers.isBusy(socket)) socket.destroy();
    else if (isWebSocket(req)) options.onUpgrade(req, socket as Socket, head);
    else declineUpgrade(req, socket as Socket, options.onRequest);
  });
  // Without a listener Node drops it silently; CONNECT makes no sense to a reverse proxy.
  server.on('connect', (_req, socket) => {
    if (answers.isBusy(socket)) socket.destroy();
    else refuse(socket, 'METHOD_NOT_PASSED_ON');
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (answers.hasBegun(socket)) socket.destroy();
    else refuse(socket, clientErrorCode(error.code));
  });

  return {
    serve(socket) {
      unused.set(socket, socket.bytesRead - socket.readableLength);
      socket.once('close', () => unused.delete(socket));
      server.emit('connection', socket);
    },
    beLast() {
      areLast = true;
      answers.beLast();
    },
    closeIdle() {
      server.closeIdleConnections();
      // Opened ahead by a browser and never used: Node does not count these as idle.
      for (const [socket, before] of unused) {
        if ((socket as Socket).bytesRead === before) socket.destroy();
      }
    },
    close: () => void server.close(),
  };
}

function clientErrorCode(code: string | undefined): ErrorCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'HEADERS_TOO_LARGE';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'REQUEST_TIMEOUT';
  return 'BAD_REQUEST';
}
