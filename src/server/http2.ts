import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerHttp2Session } from 'node:http2';
import { createServer } from 'node:http2';
import type { Duplex } from 'node:stream';
import { ProxyError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { Http1LikeRequest } from './http2-request.ts';
import { Http1LikeResponse } from './http2-response.ts';
import { respondWithError } from './respond.ts';

/** What HTTP/2 connections are for. */
export interface Http2Options {
  readonly headerBytes: number;
  readonly timeouts: {
    /** For the first request of a connection. */
    readonly firstMs: number;
    /** Without a request after that. */
    readonly idleMs: number;
  };
  readonly log: Logger;
  readonly onRequest: Handler;
  /** A request that waits to be told to go on with its body, or with another expectation. */
  readonly onExpect: Handler;
}

/** Answers one request of a connection. Both look like those of HTTP/1. */
type Handler = (req: IncomingMessage, res: ServerResponse, connection: Duplex) => void;

/** Speaks HTTP/2 on connections that somebody else has accepted, after their TLS handshake. */
export interface Http2 {
  serve(connection: Duplex): void;
  /** Tell the clients to send further requests on other connections. */
  beLast(): void;
  /** The same for those that have come since. */
  closeIdle(): void;
}

/** SECURITY: what one connection may cost. */
const LIMITS = {
  settings: { maxConcurrentStreams: 100, enablePush: false, enableConnectProtocol: false },
  // More than the guard allows, so that it says what is wrong; beyond, the stream is reset.
  maxHeaderListPairs: 256,
  maxSessionMemory: 10, // megabytes
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
};

/** Make a server of HTTP/2 that never listens: it is given connections. */
export function createHttp2(options: Http2Options): Http2 {
  const { log, timeouts } = options;
  const server = createServer<never, never, typeof Http1LikeRequest, typeof Http1LikeResponse>({
    ...LIMITS,
    settings: { ...LIMITS.settings, maxHeaderListSize: options.headerBytes },
    Http2ServerRequest: Http1LikeRequest,
    Http2ServerResponse: Http1LikeResponse,
  });
  const sessions = new Map<ServerHttp2Session, Duplex>();
  let arriving: Duplex | undefined;

  server.on('session', (session) => {
    if (!arriving) return session.destroy();
    sessions.set(session, arriving);
    session.on('error', (error) => log.debug({ err: error }, 'HTTP/2 connection failed'));
    session.once('close', () => sessions.delete(session));
    endWhenIdle(session, timeouts);
  });

  const handling = (handle: Handler) => (req: Http1LikeRequest, res: Http1LikeResponse) => {
    const connection = req.stream.session && sessions.get(req.stream.session as ServerHttp2Session);
    if (!connection) return; // it has left already
    const [request, response] = [req, res] as unknown as [IncomingMessage, ServerResponse];
    if (req.problem === undefined) return handle(request, response, connection);
    req.on('error', () => undefined);
    res.on('error', () => undefined);
    respondWithError(response, new ProxyError('BAD_REQUEST', req.problem));
  };
  server.on('request', handling(options.onRequest));
  // Whoever answers says when the body is wanted: a refusal comes without.
  server.on('checkContinue', handling(options.onExpect));
  server.on('checkExpectation', handling(options.onExpect));
  server.on(
    'connect',
    handling((_req, res) => respondWithError(res, new ProxyError('METHOD_NOT_PASSED_ON'))),
  );
  // A failed stream ends its request and its answer, where it is heard.
  server.on('stream', (stream) => stream.on('error', () => undefined));
  server.on('sessionError', (error) => log.debug({ err: error }, 'HTTP/2 connection failed'));

  const closeAll = () => {
    for (const session of sessions.keys()) session.close();
  };
  return {
    serve(connection) {
      // Nothing more can be asked by a client that has ended its side, and nobody would notice.
      connection.allowHalfOpen = false;
      arriving = connection;
      server.emit('connection', connection);
      arriving = undefined;
    },
    beLast: closeAll,
    closeIdle: closeAll,
  };
}

/**
 * End a connection without requests. SECURITY: frames alone do not keep it, they cost the client
 * nothing.
 */
function endWhenIdle(session: ServerHttp2Session, { firstMs, idleMs }: Http2Options['timeouts']) {
  let streams = 0;
  let timer = setTimeout(end, firstMs);
  function end(): void {
    session.close();
    // A peer that does not close its side would keep it.
    timer = setTimeout(() => session.destroy(), IDLE_END_MS);
  }
  session.on('stream', (stream) => {
    clearTimeout(timer);
    streams += 1;
    stream.once('close', () => {
      streams -= 1;
      if (streams === 0 && !session.destroyed) timer = setTimeout(end, idleMs);
    });
  });
  session.once('close', () => clearTimeout(timer));
}

/** How long a peer may take to read that its connection is over. */
const IDLE_END_MS = 1_000;
