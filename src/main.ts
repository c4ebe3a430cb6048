import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Channels } from './channel/channels.ts';
import { createMemoryBackplane } from './cluster/memory.ts';
import type { Config } from './config/schema.ts';
import { createEndpoints } from './live/endpoint.ts';
import { Feeds } from './live/feeds.ts';
import { Live } from './live/live.ts';
import { Streams } from './live/streams.ts';
import { createForward } from './passthrough/forward.ts';
import { createTunnels } from './passthrough/tunnel.ts';
import { createFetch } from './poll/fetch.ts';
import { createAccessLog } from './server/access-log.ts';
import type { Target } from './server/guard.ts';
import { guardRequest } from './server/guard.ts';
import { createTrust, identifyDownstream } from './server/identify-downstream.ts';
import type { Listener } from './server/listener.ts';
import { openListener } from './server/listener.ts';
import { refuse, respondWithError } from './server/respond.ts';
import { createRouter } from './server/router.ts';
import type { Clock } from './shared/clock.ts';
import { systemClock } from './shared/clock.ts';
import type { Downstream } from './shared/downstream.ts';
import type { ProxyError } from './shared/errors.ts';
import { asProxyError } from './shared/errors.ts';
import type { Logger } from './shared/logger.ts';
import { redactUrl } from './shared/logger.ts';
import { createUpstreamPool } from './shared/upstream.ts';
import { packageVersion } from './shared/version.ts';

/** A running proxy. */
export interface RunningProxy {
  /** What it accepts connections on, such as `http://127.0.0.1:8080`. */
  readonly urls: readonly string[];
  /** Streams open now. */
  readonly streamCount: number;
  /**
   * Stop accepting, let answers finish, end streams with a hint when to come back. Resolves when
   * all is over, at the latest after the config's `limits.drain`.
   */
  drain(): Promise<void>;
  /** End everything now. */
  close(): Promise<void>;
}

/** What tests replace. */
export interface ProxyDependencies {
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** How much state of channels that nobody listens to is kept, and for how long. */
const RESTING = { maxRestingBytes: 64 * 1_024 * 1_024, restMs: 60_000 };
/** Polls of one upstream that may be under way at once. */
const MAX_CONCURRENT_POLLS = 64;
const MAX_HEADERS = 200;

/**
 * Start a proxy.
 *
 * The way of a request: listener, guard, router, then pass-through or live. The way of an event:
 * poll, detect, feed, backplane, channel, subscriber, transport.
 *
 * @throws the system's error when an address cannot be listened on.
 */
export async function startProxy(
  config: Config,
  dependencies: ProxyDependencies,
): Promise<RunningProxy> {
  const { log, clock = systemClock, random = Math.random } = dependencies;
  const { site, limits } = config;
  const upstreamHost = site.preserveHost ? undefined : site.url.host;

  const upstream = { url: site.url, connectTimeoutMs: site.connectTimeout };
  const sitePool = createUpstreamPool(upstream);
  const pollPool = createUpstreamPool({ ...upstream, maxConnections: MAX_CONCURRENT_POLLS });

  const backplane = createMemoryBackplane();
  const channels = new Channels({ maxChannels: limits.channels, ...RESTING });
  const feeds = new Feeds({
    channels,
    backplane,
    fetch: createFetch(pollPool, clock),
    clock,
    random,
    log,
    secret: randomBytes(32),
    upstreamHost,
    userAgent: `comet-proxy/${packageVersion()}`,
    maxLogBytes: limits.logBytes,
  });

  const router = createRouter(createEndpoints(config.live));
  const streams = new Streams(clock, random);
  const live = new Live({
    feeds,
    streams,
    clock,
    log,
    endpointOf: (target) => {
      const match = router(target);
      return match.kind === 'live' ? match.endpoint : undefined;
    },
    origins: config.origins,
    webSocketCompression: config.webSocketCompression,
    limits,
  });

  const responseTimeoutMs = site.responseTimeout;
  const forward = createForward({ pool: sitePool, upstreamHost, responseTimeoutMs });
  const tunnels = createTunnels({
    url: site.url,
    upstreamHost,
    handshakeTimeoutMs: responseTimeoutMs,
    onError(error, socket, isAnswered) {
      log.warn({ code: error.code }, `tunnel failed: ${error.message}`);
      if (!isAnswered) refuse(socket, error.code);
    },
  });

  const isTrusted = createTrust(config.trustedProxies);
  const access = createAccessLog({
    format: config.log.access,
    log,
    writeLine: (line) => process.stdout.write(`${line}\n`),
  });

  /** @throws {ProxyError} when the request is not one that can be passed on. */
  function examine(req: IncomingMessage): Target & { downstream: Downstream } {
    const guarded = guardRequest(req, { maxHeaders: MAX_HEADERS, maxUrlBytes: limits.urlBytes });
    const peer = { address: req.socket.remoteAddress, isEncrypted: 'encrypted' in req.socket };
    const downstream = identifyDownstream(req.rawHeaders, peer, guarded.authority, isTrusted);
    return { ...guarded, downstream };
  }

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let downstream: Downstream | undefined;
    access(req, res, () => downstream);
    const examined = examine(req);
    const { target } = examined;
    downstream = examined.downstream;
    const match = router(target);
    const exchange = { req, res, target, downstream };
    if (match.kind === 'own') return live.handleSurface(exchange);
    if (match.kind === 'live') {
      const result = await live.handleOwnUrl(exchange, match.endpoint);
      if (result === 'answered' || res.destroyed) return;
    }
    live.onPass(exchange);
    await forward(req, res, target, downstream);
  }

  function onRequest(req: IncomingMessage, res: ServerResponse): void {
    // Errors of either side are seen by whoever reads or writes; unheard they would end the process.
    req.on('error', () => undefined);
    res.on('error', () => undefined);
    answer(req, res)
      .catch((error: unknown) => {
        const failure = asProxyError(error, 'INTERNAL');
        report(req, failure);
        if (!res.destroyed) respondWithError(res, failure);
      })
      .catch(() => res.destroy());
  }

  async function upgrade(req: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { target, downstream } = examine(req);
    const match = router(target);
    const exchange = { req, socket, head, target, downstream };
    if (match.kind === 'own') return live.upgradeSurface(exchange);
    if (match.kind === 'live') {
      const result = await live.upgradeOwnUrl(exchange, match.endpoint);
      if (result === 'answered' || socket.destroyed) return;
    }
    tunnels.open(req, socket, head, target, downstream);
  }

  function onUpgrade(req: IncomingMessage, socket: Socket, head: Buffer): void {
    upgrade(req, socket, head)
      .catch((error: unknown) => {
        const failure = asProxyError(error, 'INTERNAL');
        report(req, failure);
        refuse(socket, failure.code);
      })
      .catch(() => socket.destroy());
  }

  function report(req: IncomingMessage, failure: ProxyError): void {
    const fields = { method: req.method, url: redactUrl(req.url ?? ''), code: failure.code };
    if (failure.code === 'INTERNAL') log.error({ ...fields, err: failure.cause ?? failure }, 'bug');
    else if (failure.code.startsWith('UPSTREAM'))
      log.warn(fields, `site failed: ${failure.message}`);
    else log.debug(fields, `refused: ${failure.message}`);
  }

  const listeners: Listener[] = [];
  const destroyConnections = () => {
    for (const listener of listeners) listener.destroy();
  };
  async function closeListeners(): Promise<void> {
    const closed = Promise.all(listeners.map((listener) => listener.close()));
    destroyConnections();
    await closed;
  }
  async function release(): Promise<void> {
    feeds.close();
    await backplane.close();
    await Promise.all([sitePool.destroy(), pollPool.destroy()]);
  }

  try {
    for (const { address } of config.listen) {
      listeners.push(await openListener(address, limits, { onRequest, onUpgrade }, log));
    }
  } catch (error) {
    await closeListeners();
    await release();
    throw error;
  }

  return {
    urls: listeners.map((listener) => listener.url),
    get streamCount() {
      return streams.size;
    },
    async drain() {
      const deadline = clock.after(limits.drain, destroyConnections);
      const closed = Promise.all(listeners.map((listener) => listener.close()));
      // Nobody can say when a tunnel is between two messages: they end with the streams.
      const tunnelsEnd = clock.after(Math.min(1_000, limits.drain / 2), () => {
        for (const socket of tunnels.sockets) socket.destroy();
      });
      await live.drain(limits.drain * 0.9);
      await closed;
      deadline.cancel();
      tunnelsEnd.cancel();
      await release();
    },
    async close() {
      await closeListeners();
      await release();
    },
  };
}
