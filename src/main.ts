import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Channels } from './channel/channels.ts';
import { createMemoryBackplane } from './cluster/memory.ts';
import type { Config } from './config/schema.ts';
import { createObserver } from './discovery/observer.ts';
import { inquiryOf, readQuestion, targetOf } from './live/asked-request.ts';
import { Buffered } from './live/buffered.ts';
import { createLivePaths } from './live/endpoint.ts';
import { explainRoute } from './live/explain.ts';
import { Feeds } from './live/feeds.ts';
import { LimitLog } from './live/limit-log.ts';
import { Live } from './live/live.ts';
import { LiveHeaders } from './live/live-headers.ts';
import { Shadow } from './live/shadow.ts';
import { Streams } from './live/streams.ts';
import { Tickets } from './live/tickets.ts';
import { findWanted } from './live/wanted.ts';
import { createForward } from './passthrough/forward.ts';
import { explainInjection, Injection } from './passthrough/inject/injection.ts';
import { createRoutes } from './passthrough/routes.ts';
import { createStateRewriting } from './passthrough/site-rewriting.ts';
import { Tunnels } from './passthrough/tunnel.ts';
import { createPollBudget } from './poll/poll-budget.ts';
import { createUpstreamBreaker } from './poll/upstream-breaker.ts';
import { createAccessLog } from './server/access-log.ts';
import type { AdminListener } from './server/admin.ts';
import { openAdmin } from './server/admin.ts';
import { adminRoutes } from './server/admin-routes.ts';
import { Connections } from './server/connections.ts';
import type { Target } from './server/guard.ts';
import { guardRequest } from './server/guard.ts';
import type { Peer } from './server/identify-downstream.ts';
import { createTrust, identifyDownstream } from './server/identify-downstream.ts';
import type { Listener } from './server/listener.ts';
import { openListener } from './server/listener.ts';
import { detectLoop, pseudonymOf } from './server/loops.ts';
import { respondWithError } from './server/respond.ts';
import { createRouter } from './server/router.ts';
import { readScripts } from './server/scripts.ts';
import { socketResponse } from './server/socket-response.ts';
import type { Clock } from './shared/clock.ts';
import { systemClock } from './shared/clock.ts';
import type { Downstream } from './shared/downstream.ts';
import type { ProxyError } from './shared/errors.ts';
import { asProxyError } from './shared/errors.ts';
import type { Explanation, InjectReport, Question } from './shared/explanation.ts';
import type { Logger } from './shared/logger.ts';
import { redactUrl } from './shared/logger.ts';
import { mountPrefix } from './shared/mount-path.ts';
import type { RawHeaders } from './shared/raw-headers.ts';
import { canConnect, isUnreadable } from './shared/upstream.ts';
import { createSitePolls } from './site-polls.ts';
import { Unread } from './transport/unread.ts';

/** A running proxy. */
export interface RunningProxy {
  /** What it accepts connections on, such as `http://127.0.0.1:8080`. */
  readonly urls: readonly string[];
  /** Where the admin listener is, if there is one: `http://127.0.0.1:9090`, `unix:/run/x.sock`. */
  readonly adminUrl: string | undefined;
  /** Streams open now. */
  readonly streamCount: number;
  /**
   * Stop accepting, let answers finish, end streams with a hint when to come back. Resolves when
   * all is over, at the latest after the config's `limits.drain`.
   */
  drain(): Promise<void>;
  /** End everything now. */
  close(): Promise<void>;
  /** Read certificates again. What cannot be read stays as it was, and is logged. */
  reload(): void;
}

/** What tests replace. */
export interface ProxyDependencies {
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/** How much state of channels that nobody listens to is kept, and for how long. */
const RESTING = { maxRestingBytes: 64 * 1_024 * 1_024, restMs: 60_000 };
const MAX_HEADERS = 200;
/** Where the build puts the browser script; tests run from the sources. */
const SCRIPTS = new URL(
  import.meta.url.endsWith('.ts') ? '../dist/client/' : './client/',
  import.meta.url,
);

/** A request or an upgrade, as a listener hands it over. */
interface Arrival {
  readonly req: IncomingMessage;
  /** For upgrades it is there in case that they are refused. */
  readonly res: ServerResponse;
  readonly peer: Peer;
  readonly upgrade: { readonly socket: Socket; readonly head: Buffer } | undefined;
}

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
  const pseudonym = config.via ? pseudonymOf() : undefined;

  const scripts = readScripts(SCRIPTS);
  const injection = createInjection(config, scripts.version, log);
  const { siteRoute, mounts, rules } = createRoutes(config, clock, injection);
  const polls = createSitePolls(config, pseudonym, clock);

  const breaker = createUpstreamBreaker({
    clock,
    random,
    probe: (signal) => canConnect(site.url, signal),
    probeTimeoutMs: site.connectTimeout,
    log,
    label: { site: site.url.origin },
  });
  const limitLog = new LimitLog(clock, log);
  const backplane = createMemoryBackplane();
  const onGrowth = () => buffered.onGrowth();
  const unread = new Unread(onGrowth, clock);
  const streams = new Streams(clock, random, limits.maxStreamAge, unread);
  const channels = new Channels({ maxChannels: limits.channels, ...RESTING, onGrowth });
  const buffered: Buffered = new Buffered({
    maxBytes: limits.bufferedBytes,
    channels,
    unread,
    streams,
    clock,
    log,
    limitLog,
  });
  const rewriting = rules && createStateRewriting(rules);
  const feeds = new Feeds({
    channels,
    backplane,
    way: polls,
    upstream: {
      budget: createPollBudget({
        clock,
        maxConcurrent: limits.polls,
        maxPerSecond: limits.pollsPerSecond,
      }),
      breaker,
    },
    rewriting,
    clock,
    random,
    log,
    secret: randomBytes(32),
    maxLogBytes: limits.logBytes,
    limits,
    limitLog,
    buffered,
  });

  const livePaths = createLivePaths(config.live);
  const router = createRouter(livePaths, mounts);
  const livePathOf = (target: string) => {
    const match = router(target);
    return match.kind === 'live' ? match.endpoint : undefined;
  };
  const tickets = new Tickets({
    clock,
    secret: randomBytes(32),
    identify: (wanted, client) => feeds.identityOf(wanted, client),
  });
  const liveHeaders = new LiveHeaders({ feeds, tickets, isTold: config.inject.length > 0 });
  const shadow = new Shadow({ clock, log, rewriting });
  const live = new Live({
    feeds,
    tickets,
    liveHeaders,
    shadow,
    pageChange: injection && ((exchange) => injection.visit(exchange)),
    streams,
    clock,
    log,
    endpoints: livePaths.flatMap(({ endpoints }) => endpoints),
    livePathOf,
    logoutOn: config.logoutOn,
    limitLog,
    buffered,
    origins: config.origins,
    webSocketCompression: config.webSocketCompression,
    limits,
  });

  const tunnels = new Tunnels(clock);
  const forward = createForward({
    clock,
    log,
    tunnels,
    pseudonym,
    bodyTimeoutMs: limits.bodyTimeout,
    sendTimeoutMs: limits.sendTimeout,
  });

  const isTrusted = createTrust(config.trustedProxies);
  const access = createAccessLog({
    format: config.log.access,
    log,
    writeLine: (line) => process.stdout.write(`${line}\n`),
  });

  const observer = config.admin && createObserver({ now: Date.now, secret: randomBytes(8) });

  /** @throws {ProxyError} when the request is not one that can be passed on. */
  function examine(req: IncomingMessage, peer: Peer): Target & { downstream: Downstream } {
    const guarded = guardRequest(req, { maxHeaders: MAX_HEADERS, maxUrlBytes: limits.urlBytes });
    if (pseudonym !== undefined) detectLoop(req.rawHeaders, pseudonym);
    const downstream = identifyDownstream(req.rawHeaders, peer, guarded.authority, isTrusted);
    return { ...guarded, downstream };
  }

  function answer({ req, res, peer, upgrade }: Arrival, fail: (error: unknown) => void): void {
    let downstream: Downstream | undefined;
    access(req, res, () => downstream);
    const examined = examine(req, peer);
    const { target } = examined;
    downstream = examined.downstream;
    const match = router(target);
    const exchange = { req, res, target, downstream, upgrade };
    const seen = upgrade ? undefined : observer?.observe(exchange, match.kind);
    const pass = () => {
      const onPass = upgrade ? undefined : live.onPass(exchange);
      const answered = (status: number, headers: RawHeaders) => {
        seen?.(headers);
        return onPass?.(status) ?? [];
      };
      const onAnswer = seen || onPass ? answered : undefined;
      forward(siteRoute, { ...exchange, onAnswer, witness: shadow.witnessOf(req) }, fail);
    };
    switch (match.kind) {
      case 'site':
        return pass();
      case 'mount':
        return forward(match.mount.route, { ...exchange, target: match.rest }, fail);
      case 'own':
        if (upgrade) return live.upgradeSurface({ ...exchange, ...upgrade });
        if (scripts.answer(req, res, target)) return;
        live.handleSurface(exchange).catch(fail);
        return;
      case 'live': {
        const { endpoint } = match;
        const answering = upgrade
          ? live.upgradeOwnUrl({ ...exchange, ...upgrade }, endpoint)
          : live.handleOwnUrl(exchange, endpoint);
        answering
          .then((result) => {
            if (result === 'pass' && !res.destroyed) pass();
          })
          .catch(fail);
      }
    }
  }

  function onArrival(arrival: Arrival): void {
    const { req, res } = arrival;
    const fail = (error: unknown) => {
      const failure = asProxyError(error, 'INTERNAL');
      report(req, failure);
      try {
        if (!res.destroyed) respondWithError(res, failure);
      } catch {
        res.destroy();
      }
    };
    try {
      answer(arrival, fail);
    } catch (error) {
      fail(error);
    }
  }

  function onRequest(req: IncomingMessage, res: ServerResponse, peer: Peer): void {
    onArrival({ req, res, peer, upgrade: undefined });
  }

  function onUpgrade(req: IncomingMessage, socket: Socket, head: Buffer, peer: Peer): void {
    onArrival({ req, res: socketResponse(req, socket), peer, upgrade: { socket, head } });
  }

  function report(req: IncomingMessage, failure: ProxyError): void {
    const fields = { method: req.method, url: redactUrl(req.url ?? ''), code: failure.code };
    if (failure.code === 'INTERNAL') log.error({ ...fields, err: failure.cause ?? failure }, 'bug');
    else if (failure.code.startsWith('UPSTREAM')) {
      const hint = isUnreadable(failure) ? '; "lenient": true may read it' : '';
      log.warn(fields, `upstream failed: ${failure.message}${hint}`);
    } else log.debug(fields, `refused: ${failure.message}`);
  }

  const listeners: Listener[] = [];
  let admin: AdminListener | undefined;
  const destroyConnections = () => {
    for (const listener of listeners) listener.destroy();
  };
  async function closeListeners(): Promise<void> {
    const closed = Promise.all(listeners.map((listener) => listener.close()));
    destroyConnections();
    await closed;
  }
  async function release(): Promise<void> {
    await admin?.close();
    shadow.close();
    feeds.close();
    breaker.close();
    await backplane.close();
    const routes = [siteRoute, ...mounts.map(({ route }) => route)];
    await Promise.all([...routes.map((route) => route.close()), polls.close()]);
  }

  try {
    const connections = new Connections(limits, isTrusted);
    const options = { limits, connections, handlers: { onRequest, onUpgrade }, log, isTrusted };
    for (const listen of config.listen) listeners.push(await openListener(listen, options));
    if (config.admin && observer) {
      const handlers = {
        refresh: (url: string) => ({ channels: feeds.renew(targetOf(url)) }),
        explain(question: Question) {
          const asked = readQuestion(question);
          const route = explainRoute(asked, router);
          const told = { ...route, ...explainPage(route, () => injection?.explain(asked.target)) };
          const path = told.route === 'live' ? livePathOf(asked.target) : undefined;
          const wanted = path && findWanted(path.endpoints, inquiryOf(asked));
          if (!wanted) return told;
          return { ...told, ...feeds.explain(wanted, asked), ...shadow.explain(wanted.endpoint) };
        },
        discover: () => observer.report(),
      };
      admin = await openAdmin(config.admin, { routes: adminRoutes(handlers, clock), clock, log });
    }
  } catch (error) {
    await closeListeners();
    await release();
    throw error;
  }

  return {
    urls: listeners.map((listener) => listener.url),
    adminUrl: admin?.url,
    get streamCount() {
      return streams.size;
    },
    async drain() {
      const deadline = clock.after(limits.drain, destroyConnections);
      const closed = Promise.all(listeners.map((listener) => listener.close()));
      tunnels.drain(limits.drain * 0.9);
      await live.drain(limits.drain * 0.9);
      await closed;
      deadline.cancel();
      await release();
    },
    async close() {
      await closeListeners();
      await release();
    },
    reload() {
      for (const listener of listeners) listener.reload();
    },
  };
}

/**
 * What a config alone says of a request, while no proxy runs with it.
 *
 * @throws {ProxyError} `BAD_URL`.
 */
export function explainConfig(config: Config, question: Question): Explanation {
  const mounts = Object.keys(config.comet).map((path) => ({ prefix: mountPrefix(path) }));
  const asked = readQuestion(question);
  const told = explainRoute(asked, createRouter(createLivePaths(config.live), mounts));
  const { inject } = config;
  const report = () => (inject.length > 0 ? explainInjection(inject, asked.target) : undefined);
  return { ...told, ...explainPage(told, report) };
}

/** Only the site has pages that get the script. */
function explainPage(
  { route }: Explanation,
  report: () => InjectReport | undefined,
): Pick<Explanation, 'inject'> {
  const inject = route === 'site' || route === 'live' ? report() : undefined;
  return inject ? { inject } : {};
}

function createInjection({ inject, live }: Config, version: string, log: Logger) {
  if (inject.length === 0) return undefined;
  if (version !== '') {
    return new Injection({ patterns: inject, version, live: Object.keys(live), log });
  }
  log.error({}, 'no page gets the browser script: this build has none');
  return undefined;
}
