import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import httpProxy from 'http-proxy';
import type { Downstream } from '../shared/downstream.ts';
import type { ProxyError } from '../shared/errors.ts';
import { upstreamError } from '../shared/upstream.ts';
import { requestHeaders } from './headers.ts';

/** How one upstream's upgrades are tunnelled. */
export interface TunnelOptions {
  readonly url: URL;
  /** The `Host` to send; `undefined` keeps the client's. */
  readonly upstreamHost: string | undefined;
  /** Longest wait for the answer to the handshake. */
  readonly handshakeTimeoutMs: number;
  /** The upstream could not be reached, or broke off; `isAnswered` when its answer had begun. */
  readonly onError: (error: ProxyError, socket: Socket, isAnswered: boolean) => void;
}

/** Tunnels of one upstream. */
export interface Tunnels {
  /** Pass an upgrade on, and then bytes both ways. */
  open(
    req: IncomingMessage,
    socket: Socket,
    head: Buffer,
    target: string,
    downstream: Downstream,
  ): void;
  /** The sockets of clients whose tunnels are open or opening. */
  readonly sockets: ReadonlySet<Socket>;
}

/** Headers that the library sets from the request, and that are to be ours. */
const KEPT = /^(?:host|connection|upgrade|sec-websocket-.*)$/i;

/**
 * Tunnel WebSocket upgrades through `http-proxy` (the maintained fork of that name).
 *
 * The library is a mere engine here: what leaves toward the upstream is written by us, so that
 * nothing hop-by-hop and no invented identity passes, and every error of every phase is heard. It
 * never shares or reuses a connection.
 */
export function createTunnels(options: TunnelOptions): Tunnels {
  const sockets = new Set<Socket>();
  const pending = new WeakMap<Socket, { headers: string[] }>();
  const proxy = httpProxy.createProxyServer({
    target: options.url.href,
    // The raw target goes on as it is: the library would normalise it through `new URL`.
    toProxy: true,
    xfwd: false,
  });

  proxy.on('proxyReqWs', (proxyReq: ClientRequest, _req: IncomingMessage, socket: Socket) => {
    replaceHeaders(proxyReq, pending.get(socket)?.headers ?? []);
    proxyReq.setTimeout(options.handshakeTimeoutMs, () => {
      proxyReq.destroy(
        Object.assign(new Error('no answer to the handshake'), { code: 'ETIMEDOUT' }),
      );
    });
    const abort = () => proxyReq.destroy();
    socket.once('close', abort);
    // While nobody reads it a socket does not notice that its peer has left.
    const early: Buffer[] = [];
    let earlyBytes = 0;
    const collect = (chunk: Buffer) => {
      early.push(chunk);
      earlyBytes += chunk.length;
      if (earlyBytes > MAX_EARLY_BYTES) socket.destroy();
    };
    socket.on('data', collect);
    socket.once('end', abort);
    const stopWatching = () => {
      socket.off('close', abort);
      socket.off('end', abort);
      socket.off('data', collect);
    };
    proxyReq.prependOnceListener('upgrade', (_res: IncomingMessage, upstream: Socket) => {
      stopWatching();
      pending.delete(socket);
      upstream.setTimeout(0);
      upstream.setKeepAlive(true, KEEP_ALIVE_MS);
      // The library ends the tunnel's other half; a reset is to be one on both sides.
      socket.once('close', () => upstream.destroy());
      socket.pause();
      if (early.length > 0) socket.unshift(Buffer.concat(early));
    });
    proxyReq.prependOnceListener('response', (answer: IncomingMessage) => {
      // From here on the answer is the site's: nothing of ours may be written into it.
      pending.delete(socket);
      socket.off('data', collect);
      socket.resume();
      answer.once('close', () => {
        if (!answer.complete) socket.destroy();
      });
    });
  });
  // Without a listener the library throws; the socket's own 'close' does all there is to do.
  proxy.on('error', () => undefined);

  return {
    sockets,
    open(req, socket, head, target, downstream) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      const headers = requestHeaders(req.rawHeaders, { ...options, downstream });
      pending.set(socket, { headers });
      req.url = target;
      proxy.ws(req, socket, head, {}, (error: Error) => {
        options.onError(upstreamError(error), socket, !pending.has(socket));
      });
    },
  };
}

/** How much a client may send before its upgrade is answered. */
const MAX_EARLY_BYTES = 64 * 1_024;
/** TCP probes on a silent tunnel find a peer that vanished. */
const KEEP_ALIVE_MS = 30_000;

function replaceHeaders(proxyReq: ClientRequest, headers: readonly string[]): void {
  for (const name of proxyReq.getHeaderNames()) {
    if (!KEPT.test(name)) proxyReq.removeHeader(name);
  }
  proxyReq.setHeader('Connection', 'Upgrade');
  proxyReq.setHeader('Upgrade', 'websocket');
  for (const [name, values] of grouped(headers)) {
    const [first = ''] = values;
    proxyReq.setHeader(name, values.length === 1 ? first : values);
  }
}

/** Node's client takes duplicates as a list under the name in its first spelling. */
function grouped(headers: readonly string[]): Map<string, string[]> {
  const byLowerCase = new Map<string, { name: string; values: string[] }>();
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = [headers[i], headers[i + 1]];
    const entry = byLowerCase.get(name.toLowerCase()) ?? { name, values: [] };
    entry.values.push(value);
    byLowerCase.set(name.toLowerCase(), entry);
  }
  return new Map([...byLowerCase.values()].map(({ name, values }) => [name, values]));
}
