import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { ListenConfig } from '../config/listen.ts';
import type { Logger } from '../shared/logger.ts';
import { addressText, bind, describe } from './bind.ts';
import type { Connections } from './connections.ts';
import type { Http1 } from './http1.ts';
import { createHttp1 } from './http1.ts';
import { createHttp2 } from './http2.ts';
import { HTTP2_FLOORS, isHttp2Safe } from './http2-safety.ts';
import type { Peer, Trust } from './identify-downstream.ts';
import { plainAddress, UNIX } from './identify-downstream.ts';
import { readProxyHeader } from './read-proxy-header.ts';
import type { Handlers } from './reception.ts';
import { createReception } from './reception.ts';
import { createTlsLayer } from './tls-layer.ts';
import type { Visitor } from './visitor.ts';

/** Bounds of one listener. Times are in milliseconds. */
export interface ListenerLimits {
  readonly headerBytes: number;
  /** Longest silence of a client within the body of its request. */
  readonly bodyTimeout: number;
  /** Longest time from `close` to the end of all: a part of it is left to idle connections. */
  readonly drain: number;
}

/** How long clients may take, in milliseconds. */
export interface ListenerTimes {
  readonly headersMs: number;
  readonly headersCheckMs: number;
  readonly idleMs: number;
  readonly handshakeMs: number;
  readonly proxyHeaderMs: number;
  readonly graceMs: number;
}

/** What a listener needs besides its address. */
export interface ListenerOptions {
  readonly limits: ListenerLimits;
  /** Of all listeners together. */
  readonly connections: Connections;
  readonly handlers: Handlers;
  readonly log: Logger;
  readonly isTrusted: Trust;
  /** For tests. */
  readonly times?: Partial<ListenerTimes>;
  /** For tests: whether HTTP/2 is offered depends on it. Default: the one that runs. */
  readonly nodeVersion?: string;
}

/** An address that accepts connections. */
export interface Listener {
  /** For people: `https://127.0.0.1:8443`, `unix:/run/x.sock`. */
  readonly url: string;
  /**
   * Accept nothing new, and let every answer be the last one of its connection. Resolves when every
   * connection is over, tunnels too.
   */
  close(): Promise<void>;
  /** End every connection now. */
  destroy(): void;
  /** Read the certificate files again, for new connections. On failure the old ones stay. */
  reload(): void;
}

const TIMES: ListenerTimes = {
  headersMs: 15_000,
  headersCheckMs: 5_000,
  // Longer than the 60 s for which balancers in front of us keep connections (ALB, nginx).
  idleMs: 75_000,
  handshakeMs: 10_000,
  proxyHeaderMs: 3_000,
  graceMs: 2_000,
};
/** How often connections without a request are looked for while the listener closes. */
const IDLE_CHECK_MS = 100;
/** The longest part of the drain that is left to idle connections. */
const GRACE_SHARE = 1 / 4;
/** How often somebody who may not speak the PROXY protocol is worth a line in the log. */
const WARN_EVERY_MS = 60_000;

/**
 * Start to accept connections. The way of one: PROXY protocol, limits, TLS, then HTTP/1 or HTTP/2.
 *
 * @throws the system's error, for instance EADDRINUSE, or an error that names the certificate file
 * which cannot be used.
 */
export async function openListener(
  config: ListenConfig,
  options: ListenerOptions,
): Promise<Listener> {
  const { limits, connections, log, isTrusted } = options;
  const where = addressText(config.address);
  const times = { ...TIMES, ...options.times };
  const reception = createReception(options.handlers, limits.bodyTimeout);
  const http1 = createHttp1({
    headerBytes: limits.headerBytes,
    timeouts: { headersMs: times.headersMs, checkMs: times.headersCheckMs, idleMs: times.idleMs },
    ...reception,
  });
  const http2 = mayOfferHttp2(config, options)
    ? createHttp2({
        headerBytes: limits.headerBytes,
        timeouts: { firstMs: times.headersMs, idleMs: times.idleMs },
        log,
        ...reception,
      })
    : undefined;
  const tls = config.tls && openTls();
  const sockets = new Set<Socket>();
  let mayWarnAt = Number.NEGATIVE_INFINITY;

  const server = createServer({
    allowHalfOpen: true, // as Node's own HTTP server has it, which then decides
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    // Also after an upgrade, when Node listens no more: an unheard error ends the process.
    socket.on('error', (error) => log.debug({ err: error }, 'connection failed'));
    socket.once('close', () => sockets.delete(socket));
    const address = socket.remoteAddress && plainAddress(socket.remoteAddress);
    // SECURITY: a client that has left already has no address, and is not one of a unix socket.
    if (address === undefined && !isUnix(server)) socket.destroy();
    else if (config.proxyProtocol) hearProxy(socket, address);
    else admit(socket, { address, isEncrypted: false });
  });

  function hearProxy(socket: Socket, address: string | undefined): void {
    if (!isTrusted(address ?? UNIX)) {
      socket.destroy();
      warn({ address }, 'it speaks for clients, but is not one of "trustedProxies"');
      return;
    }
    const onHeader = (client: Peer | undefined) =>
      admit(socket, client ?? { address, isEncrypted: false });
    const onFailure = (reason: string) => log.debug({ address, listen: where }, reason);
    readProxyHeader(socket, { onHeader, onFailure }, times.proxyHeaderMs);
  }

  function admit(socket: Socket, peer: Peer): void {
    const admission = connections.enter(peer.address);
    if (admission.kind === 'cut') {
      socket.destroy();
      return;
    }
    socket.once('close', () => admission.leave());
    const refusal = admission.kind === 'refused' ? admission.code : undefined;
    if (tls) tls.secure(socket, { peer: { ...peer, isEncrypted: true }, refusal });
    else serve(http1, socket, { peer, refusal });
  }

  function serve(http: Pick<Http1, 'serve'>, socket: Socket, visitor: Visitor): void {
    reception.welcome(socket, visitor);
    http.serve(socket);
  }

  function openTls() {
    try {
      return createTlsLayer({
        files: config.tls ?? [],
        protocols: http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
        handshakeTimeoutMs: times.handshakeMs,
        log,
        onSecure: (socket, visitor) =>
          serve(http2 && socket.alpnProtocol === 'h2' ? http2 : http1, socket, visitor),
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      throw new Error(`listen ${where}: ${reason}`, { cause: error });
    }
  }

  function warn(fields: object, message: string): void {
    const now = performance.now();
    if (now < mayWarnAt) return log.debug({ ...fields, listen: where }, message);
    mayWarnAt = now + WARN_EVERY_MS;
    log.warn({ ...fields, listen: where }, message);
  }

  async function close(): Promise<void> {
    http1.beLast();
    http2?.beLast();
    const graceMs = Math.min(times.graceMs, limits.drain * GRACE_SHARE);
    const graceEnd = performance.now() + graceMs;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    const timer = setInterval(
      () => {
        // Until then a request may be on its way that its client takes for welcome.
        if (performance.now() < graceEnd) return;
        http1.closeIdle();
        http2?.closeIdle();
      },
      Math.min(IDLE_CHECK_MS, graceMs),
    );
    await closed;
    clearInterval(timer);
    http1.close();
  }

  await bind(server, config.address);
  if (tls && config.proxyProtocol && isUnix(server)) {
    server.close();
    http1.close();
    // Nothing tells which of the decrypted connections is which.
    throw new Error(`listen ${where}: "tls" with "proxyProtocol" needs a TCP address`);
  }
  server.on('error', (error) => log.error({ err: error, listen: where }, 'listener failed'));
  let closing: Promise<void> | undefined;
  return {
    url: describe(server.address(), tls ? 'https' : 'http'),
    close() {
      closing ??= close();
      return closing;
    },
    destroy() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
    reload: () => tls?.reload(),
  };
}

function mayOfferHttp2(config: ListenConfig, { log, nodeVersion }: ListenerOptions): boolean {
  if (!config.http2) return false;
  const version = nodeVersion ?? process.versions.node;
  if (isHttp2Safe(version)) return true;
  // SECURITY: a client could end the process through holes that are known.
  log.warn(
    { listen: addressText(config.address) },
    `HTTP/2 is not offered, only HTTP/1.1: that of Node ${version} has known holes; from these versions on it is: ${HTTP2_FLOORS}`,
  );
  return false;
}

function isUnix(server: Server): boolean {
  return typeof server.address() === 'string';
}
