import { chmodSync, rmSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ListenAddress } from '../config/readers.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { Answers } from './answers.ts';
import { refuse } from './respond.ts';
import { declineUpgrade, isWebSocket } from './upgrade.ts';

/** What a listener does with what it accepts. Neither may throw or reject. */
export interface Handlers {
  onRequest(req: IncomingMessage, res: ServerResponse): void;
  /** An upgrade to WebSocket, its request checked for form. */
  onUpgrade(req: IncomingMessage, socket: Socket, head: Buffer): void;
}

/** Bounds of one listener. */
export interface ListenerLimits {
  readonly connections: number;
  readonly headerBytes: number;
}

/** An address that accepts connections. */
export interface Listener {
  /** For people: `http://127.0.0.1:8080`, `unix:/run/x.sock`. */
  readonly url: string;
  /** Accept nothing new. Resolves when every connection is over, tunnels too. */
  close(): Promise<void>;
  /** End every connection now. */
  destroy(): void;
}

/** How often connections without a request are looked for while the listener closes. */
const IDLE_CHECK_MS = 100;
/** A connection that has sent nothing for so long into the closing will not. */
const UNUSED_MS = 500;

/** Start to accept connections. @throws the system's error, for instance EADDRINUSE. */
export async function openListener(
  address: ListenAddress,
  limits: ListenerLimits,
  handlers: Handlers,
  log: Logger,
): Promise<Listener> {
  const options: ServerOptions = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: 15_000,
    // Uploads may take their time; Node would cut them, and the streams behind them.
    requestTimeout: 0,
    connectionsCheckingInterval: 5_000,
    // Longer than the 60 s for which balancers in front of us keep connections (ALB, nginx).
    keepAliveTimeout: 75_000,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
    insecureHTTPParser: false,
    requireHostHeader: false, // the guard checks it, and says what is wrong
  };
  const server = createServer(options);
  server.maxConnections = limits.connections;
  server.maxHeadersCount = 0; // counted by the guard, which refuses what Node would drop
  server.timeout = 0;
  const sockets = new Set<Socket>();
  const answers = new Answers();
  let isClosing = false;

  server.on('connection', (socket) => {
    sockets.add(socket);
    // Also after an upgrade, when Node listens no more: an unheard error ends the process.
    socket.on('error', (error) => log.debug({ err: error }, 'connection failed'));
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (req, res) => {
    answers.add(req, res);
    if (isClosing) res.shouldKeepAlive = false;
    handlers.onRequest(req, res);
  });
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Pipelined behind a request: Node has detached its parser, so no answer can follow in order.
    if (answers.isBusy(socket)) socket.destroy();
    else if (isWebSocket(req)) handlers.onUpgrade(req, socket as Socket, head);
    else declineUpgrade(req, socket as Socket, handlers.onRequest);
  });
  // Without a listener Node drops it silently; CONNECT makes no sense to a reverse proxy.
  server.on('connect', (_req, socket) => {
    if (answers.isBusy(socket)) socket.destroy();
    else refuse(socket, 'METHOD_NOT_ALLOWED');
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (answers.hasBegun(socket)) socket.destroy();
    else refuse(socket, clientErrorCode(error.code));
  });

  await bind(server, address);
  server.on('error', (error) => log.error({ err: error }, 'listener failed'));
  return {
    url: describe(address, server.address()),
    async close() {
      isClosing = true;
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      const closingAt = performance.now();
      const timer = setInterval(() => {
        server.closeIdleConnections();
        // Opened ahead by a browser and never used: Node does not count these as idle.
        if (performance.now() - closingAt < UNUSED_MS) return;
        for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
      }, IDLE_CHECK_MS);
      server.closeIdleConnections();
      await closed;
      clearInterval(timer);
    },
    destroy() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function clientErrorCode(code: string | undefined): ErrorCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'HEADERS_TOO_LARGE';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'REQUEST_TIMEOUT';
  return 'BAD_REQUEST';
}

async function bind(
  server: ReturnType<typeof createServer>,
  address: ListenAddress,
): Promise<void> {
  if (address.kind === 'unix') await removeStaleSocket(address.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    if (address.kind === 'unix') server.listen(address.path);
    // A deep backlog: after a restart every client comes back at once.
    else server.listen({ port: address.port, host: address.host, backlog: 4_096 });
  });
  // SECURITY: owner and group only, as a web server in front of us would be set up.
  if (address.kind === 'unix') chmodSync(address.path, 0o660);
}

/** A socket file that nobody listens on was left by a process that died. */
async function removeStaleSocket(path: string): Promise<void> {
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  const isAlive = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
  if (!isAlive) rmSync(path);
}

function describe(address: ListenAddress, bound: AddressInfo | string | null): string {
  if (address.kind === 'unix' || bound === null || typeof bound === 'string') {
    return `unix:${address.kind === 'unix' ? address.path : bound}`;
  }
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return `http://${host}:${bound.port}`;
}
