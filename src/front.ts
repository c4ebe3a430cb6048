import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Config } from './config/schema.ts';
import { createObserver } from './discovery/observer.ts';
import { explainPage } from './explain-config.ts';
import { inquiryOf, readQuestion } from './live/asked-request.ts';
import type { Endpoint, LivePath } from './live/endpoint.ts';
import { explainRoute } from './live/explain.ts';
import { Live } from './live/live.ts';
import { LiveHeaders } from './live/live-headers.ts';
import { Shadow } from './live/shadow.ts';
import type { Supply } from './live/supply.ts';
import type { Issued } from './live/tickets.ts';
import { Tickets } from './live/tickets.ts';
import { findWanted } from './live/wanted.ts';
import { createForward } from './passthrough/forward.ts';
import { Injection } from './passthrough/inject/injection.ts';
import { createRoutes } from './passthrough/routes.ts';
import { createStateRewriting } from './passthrough/site-rewriting.ts';
import { Tunnels } from './passthrough/tunnel.ts';
import { createAccessLog } from './server/access-log.ts';
import { Connections } from './server/connections.ts';
import type { Target } from './server/guard.ts';
import { guardRequest } from './server/guard.ts';
import type { Peer } from './server/identify-downstream.ts';
import { createTrust, identifyDownstream } from './server/identify-downstream.ts';
import type { Listener } from './server/listener.ts';
import { openListener } from './server/listener.ts';
import { detectLoop } from './server/loops.ts';
import { respondWithError } from './server/respond.ts';
import { createRouter } from './server/router.ts';
import { readScripts } from './server/scripts.ts';
import { socketResponse } from './server/socket-response.ts';
import type { DiscoveryReport } from './shared/discovery-report.ts';
import type { Downstream } from './shared/downstream.ts';
import type { ProxyError } from './shared/errors.ts';
import { asProxyError } from './shared/errors.ts';
import type { Explanation, Question } from './shared/explanation.ts';
import type { Logger } from './shared/logger.ts';
import { redactUrl } from './shared/logger.ts';
import type { RawHeaders } from './shared/raw-headers.ts';
import { isUnreadable } from './shared/upstream.ts';
import type { Stores, Surroundings } from './stores.ts';

/** What a front is made of. */
export interface FrontOptions extends Surroundings {
  readonly config: Config;
  readonly livePaths: readonly LivePath[];
  readonly stores: Stores;
  /** Where states come from. */
  readonly supply: Supply;
  /** What we call ourselves in `Via`; `undefined` sends none. */
  readonly pseudonym: string | undefined;
  /** SECURITY: random, at least 32 bytes: makes tickets. */
  readonly ticketSecret: Uint8Array;
  /** Other processes that face clients of the same site. */
  readonly neighbours?: Neighbours;
}

/** Told what the next request of a client may depend on, which may come to another process. */
export interface Neighbours {
  onTicket(ticket: string, issued: Issued): void;
  onPageLoad(client: string): void;
}

/** The half of a proxy that faces clients. */
export interface Front {
  /** What it accepts connections on, such as `http://127.0.0.1:8080`. */
  readonly urls: readonly string[];
  readonly tickets: Tickets;
  /** A client loads a page through a neighbour. */
  onPageLoad(client: string): void;
  /** Streams open now. */
  readonly streamCount: number;
  /** What becomes of a request, without what its channel is like. @throws {ProxyError} `BAD_URL`. */
  explain(question: Question): Explanation;
  /** What is polled of the site, by the requests that came by. @throws without an admin listener. */
  discover(): Promise<DiscoveryReport>;
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
 * Face clients. The way of a request: listener, guard, router, then pass-through or live.
 *
 * @throws the system's error when an address cannot be listened on.
 */
export async function openFront(options: FrontOptions): Promise<Front> {
  const { config, livePaths, stores, supply: feeds, pseudonym, neighbours, log, clock } = options;
  const { limits } = config;
  const scripts = readScripts(SCRIPTS);
  const injection = createInjection(config, scripts.version, log);
  const { siteRoute, mounts, rules } = createRoutes(config, clock, injection);
  const router = createRouter(livePaths, mounts);
  const livePathOf = (target: string) => {
    const match = router(target);
    return match.kind === 'live' ? match.endpoint : undefined;
  };
  const endpoints = livePaths.flatMap((path) => path.endpoints);
  const tickets = new Tickets({
    secret: options.ticketSecret,
    onIssued: neighbours && ((ticket, issued) => neighbours.onTicket(ticket, issued)),
    clock,
    identify: (wanted, client) => feeds.identityOf(wanted, client),
  });
  const liveHeaders = new LiveHeaders({ feeds, tickets, isTold: config.inject.length > 0 });
  const shadow = new Shadow({ clock, log, rewriting: rules && createStateRewriting(rules) });
  const live = new Live({
    ...stores,
    feeds,
    tickets,
    liveHeaders,
    shadow,
    pageChange: injection && ((exchange) => injection.visit(exchange)),
    onPageLoad: holdsAny(endpoints)
      ? neighbours && ((client) => neighbours.onPageLoad(client))
      : undefined,
    clock,
    log,
    endpoints,
    livePathOf,
    logoutOn: config.logoutOn,
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
    return { target: guarded.target, authority: guarded.authority, downstream };
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
      const witness = shadow.witnessOf(req);
      // Member by member: V8 makes a new hidden class for each object that is spread and extended.
      forward(siteRoute, { req, res, target, downstream, upgrade, onAnswer, witness }, fail);
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
  const destroyConnections = () => {
    for (const listener of listeners) listener.destroy();
  };
  async function closeListeners(): Promise<void> {
    const closed = Promise.all(listeners.map((listener) => listener.close()));
    destroyConnections();
    await closed;
  }
  async function release(): Promise<void> {
    shadow.close();
    await Promise.all([siteRoute, ...mounts.map(({ route }) => route)].map((one) => one.close()));
  }

  try {
    const connections = new Connections(limits, isTrusted);
    const listening = { limits, connections, handlers: { onRequest, onUpgrade }, log, isTrusted };
    for (const listen of config.listen) listeners.push(await openListener(listen, listening));
  } catch (error) {
    await closeListeners();
    await release();
    throw error;
  }

  return {
    urls: listeners.map((listener) => listener.url),
    tickets,
    onPageLoad: (client) => live.onPageLoad(client),
    get streamCount() {
      return stores.streams.size;
    },
    explain(question) {
      const asked = readQuestion(question);
      const route = explainRoute(asked, router);
      const told = { ...route, ...explainPage(route, () => injection?.explain(asked.target)) };
      const path = told.route === 'live' ? livePathOf(asked.target) : undefined;
      const wanted = path && findWanted(path.endpoints, inquiryOf(asked));
      return wanted ? { ...told, ...shadow.explain(wanted.endpoint) } : told;
    },
    async discover() {
      if (!observer) throw new Error('nothing was watched: there is nobody to ask');
      return observer.report();
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

function holdsAny(endpoints: readonly Endpoint[]): boolean {
  return endpoints.some(({ config }) => config.polls === 'hold');
}

function createInjection({ inject, live }: Config, version: string, log: Logger) {
  if (inject.length === 0) return undefined;
  if (version !== '') {
    return new Injection({ patterns: inject, version, live: Object.keys(live), log });
  }
  log.error({}, 'no page gets the browser script: this build has none');
  return undefined;
}
