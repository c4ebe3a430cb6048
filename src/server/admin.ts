import { chmodSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AdminConfig } from '../config/admin.ts';
import type { Clock } from '../shared/clock.ts';
import { asProxyError, ProxyError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { discardBody, readBody } from './admin-body.ts';
import { createAdminGuard } from './admin-guard.ts';
import type { AdminAnswer, AdminRoute } from './admin-route.ts';
import { AdminError, refusalAnswer } from './admin-route.ts';
import { bind, describe } from './bind.ts';

/** What an admin listener needs besides its address. */
export interface AdminOptions {
  readonly routes: readonly AdminRoute[];
  readonly clock: Clock;
  readonly log: Logger;
  /** For tests. */
  readonly times?: Partial<AdminTimes>;
}

/** How long clients may take, in milliseconds. */
export interface AdminTimes {
  readonly headersMs: number;
  /** For a whole request, body included. */
  readonly requestMs: number;
  /** How often both are looked at. */
  readonly checkMs: number;
  /** Without a request on a connection that had one. */
  readonly idleMs: number;
  /** Without a byte in either direction. */
  readonly silenceMs: number;
  /** For answers that are under way when the listener closes. */
  readonly graceMs: number;
}

/** The listener for those who run the proxy. */
export interface AdminListener {
  /** For people: `http://127.0.0.1:9090`, `unix:/run/x.sock`. */
  readonly url: string;
  /** Accept nothing new, and let answers that are under way finish. Resolves when all is over. */
  close(): Promise<void>;
}

const TIMES: AdminTimes = {
  headersMs: 5_000,
  requestMs: 10_000,
  checkMs: 1_000,
  idleMs: 5_000,
  silenceMs: 30_000,
  graceMs: 1_000,
};
const MAX_HEAD_BYTES = 16 * 1_024;
const MAX_CONNECTIONS = 128;
/** How often a wrong token is worth a line in the log. */
const WARN_EVERY_MS = 60_000;

const NOTHING = Buffer.alloc(0);

/** Of every answer; a route may say otherwise. */
const COMMON_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
};

/**
 * Start to answer those who run the proxy. The way of a request: who may ask, the table of routes,
 * the handler.
 *
 * @throws the system's error, for instance EADDRINUSE.
 */
export async function openAdmin(
  { address, token }: AdminConfig,
  options: AdminOptions,
): Promise<AdminListener> {
  const { routes, clock, log } = options;
  const times = { ...TIMES, ...options.times };
  const guard = createAdminGuard({ token, isUnix: address.kind === 'unix' });
  const isEntryGuarded = token !== undefined || address.kind === 'unix';
  let mayWarnAt = Number.NEGATIVE_INFINITY;
  let closing: Promise<void> | undefined;

  const server = createServer({
    maxHeaderSize: MAX_HEAD_BYTES,
    headersTimeout: times.headersMs,
    requestTimeout: times.requestMs,
    connectionsCheckingInterval: times.checkMs,
    keepAliveTimeout: times.idleMs,
    insecureHTTPParser: false,
    requireHostHeader: false, // the guard says what is wrong
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = times.silenceMs;
  server.on('request', (req, res) => {
    // Unheard they would end the process; whoever reads or writes sees them too.
    req.on('error', () => undefined);
    res.on('error', () => undefined);
    discardBody(req);
    answer(req)
      .catch((error: unknown) => failure(req, error))
      .then((result) => {
        if (closing) res.shouldKeepAlive = false;
        send(res, result);
      })
      .catch((error: unknown) => {
        log.error({ err: error }, 'bug');
        res.destroy();
      });
  });

  async function answer(req: IncomingMessage): Promise<AdminAnswer> {
    const { rawHeaders, method, url = '' } = req;
    guard(rawHeaders);
    const [path = '', search = ''] = url.split(/\?(.*)/s);
    const there = routes.filter((route) => route.path === path);
    if (there.length === 0) throw new ProxyError('NOT_FOUND');
    const route = there.find((each) => methodsOf(each).includes(method ?? ''));
    if (!route) {
      const allow = there.flatMap(methodsOf).join(', ');
      return refusalAnswer(new ProxyError('METHOD_NOT_ALLOWED'), { allow });
    }
    if (route.needsToken && !isEntryGuarded) throw new AdminError('NO_TOKEN_SET');
    const body = route.maxBodyBytes > 0 ? await readBody(req, route.maxBodyBytes) : NOTHING;
    return route.handler({ query: new URLSearchParams(search), rawHeaders, body });
  }

  function failure({ method, socket }: IncomingMessage, error: unknown): AdminAnswer {
    const fields = { method, address: socket.remoteAddress };
    if (!(error instanceof AdminError || error instanceof ProxyError)) {
      log.error({ ...fields, err: error }, 'bug');
      return refusalAnswer(asProxyError(error, 'INTERNAL'));
    }
    const isWarned =
      error instanceof AdminError && error.code === 'UNAUTHORIZED' && clock.now() >= mayWarnAt;
    if (isWarned) mayWarnAt = clock.now() + WARN_EVERY_MS;
    log[isWarned ? 'warn' : 'debug'](fields, `admin listener: ${error.code}: ${error.message}`);
    return refusalAnswer(error);
  }

  await bind(server, address);
  // SECURITY: the permissions of the file stand for a token.
  if (address.kind === 'unix') chmodSync(address.path, 0o600);
  server.on('error', (error) => log.error({ err: error }, 'admin listener failed'));
  return {
    url: describe(server.address(), 'http'),
    close() {
      closing ??= new Promise((resolve) => {
        const deadline = clock.after(times.graceMs, () => server.closeAllConnections());
        server.close(() => {
          deadline.cancel();
          resolve();
        });
      });
      return closing;
    },
  };
}

function methodsOf({ method }: AdminRoute): readonly string[] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method];
}

function send(res: ServerResponse, { status, headers, body }: AdminAnswer): void {
  if (res.destroyed) return;
  const length = String(Buffer.byteLength(body));
  res.writeHead(status, { ...COMMON_HEADERS, ...headers, 'content-length': length });
  res.end(body); // of an answer to HEAD Node keeps it back
}
