import type { Duplex } from 'node:stream';
import type { Clock } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { redactUrl } from '../shared/logger.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { hasBody, headerValue } from '../shared/raw-headers.ts';
import { isConnectFailure } from '../shared/upstream.ts';
import type { Outgoing } from './exchange.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { Relay } from './relay.ts';
import type { RequestBody } from './request-body.ts';
import { discardRest, openBody } from './request-body.ts';
import type { Attempt, ForwardExchange, Route } from './route.ts';
import type { Tunnels } from './tunnel.ts';
import { checkHandshake, EarlyBytes } from './tunnel.ts';

/** What passing on needs. */
export interface ForwardOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tunnels: Tunnels;
  /** What we call ourselves in `Via`; `undefined` does not. */
  readonly pseudonym: string | undefined;
  /** Longest silence of a client within the body of its request. */
  readonly bodyTimeoutMs: number;
  /** Longest time for which a client may read nothing of its answer. */
  readonly sendTimeoutMs: number;
}

/** Asking twice is harmless, and there is no body that could be gone (RFC 9110 §9.2.1). */
const SAFE = /^(?:GET|HEAD|OPTIONS)$/;

/**
 * Pass one request, or one upgrade, to a server of its route, and the answer back: streaming both
 * ways, nothing buffered.
 *
 * The promise rejects with a `ProxyError` when there is no answer to pass on; once the head has
 * left it always resolves.
 */
export type Forward = (route: Route, exchange: ForwardExchange) => Promise<void>;

/** Make the pass-through. */
export function createForward(options: ForwardOptions): Forward {
  return async (route, exchange) => {
    const { req, res } = exchange;
    const early =
      exchange.upgrade && new EarlyBytes(exchange.upgrade.socket, exchange.upgrade.head);
    const attempts = route.attempts(exchange);
    const { clock, bodyTimeoutMs: timeoutMs } = options;
    const withBody = hasBody(req.rawHeaders);
    const body = withBody ? await openBody(req, res, { clock, timeoutMs }) : undefined;
    // Upgrades never go out on a kept connection.
    let isFresh = exchange.upgrade !== undefined;
    for (let i = 0; ; ) {
      const attempt = attempts[i];
      if (!attempt) throw new ProxyError('INTERNAL', 'a route without servers');
      try {
        await exchangeOnce(attempt, route, exchange, { ...options, body, isFresh, early });
        return;
      } catch (error) {
        const failure = error as ProxyError;
        const isUnreached = isConnectFailure(failure);
        if (isUnreached) attempt.onOutcome(false);
        if (res.destroyed) return;
        if (isUnreached && i + 1 < attempts.length) {
          i += 1;
        } else if (
          // A kept connection may be closed by the server just as we use it.
          attempt.engine.reusesConnections &&
          !isFresh &&
          failure.code === 'UPSTREAM_RESET' &&
          !withBody &&
          SAFE.test(req.method ?? '')
        ) {
          isFresh = true;
        } else {
          discardRest(req, res, clock);
          throw error;
        }
      }
    }
  };
}

interface OnceOptions extends ForwardOptions {
  readonly body: RequestBody | undefined;
  readonly isFresh: boolean;
  readonly early: EarlyBytes | undefined;
}

async function exchangeOnce(
  attempt: Attempt,
  route: Route,
  { req, res, downstream, upgrade }: ForwardExchange,
  options: OnceOptions,
): Promise<void> {
  const { clock, log, pseudonym } = options;
  const { rewriting, extraHeaders, path } = attempt;
  const method = req.method ?? 'GET';
  const plain = requestHeaders(req.rawHeaders, {
    downstream,
    upstreamHost: attempt.host,
    via: pseudonym && `${req.httpVersion} ${pseudonym}`,
  });
  const relay = new Relay(res, {
    method,
    rewriting,
    extraHeaders,
    clock,
    bodyTimeoutMs: route.bodyTimeoutMs,
    sendTimeoutMs: options.sendTimeoutMs,
    onAnswer() {
      attempt.onOutcome(true);
      options.early?.discard();
    },
    onCut({ code, message }) {
      log.warn({ method, url: redactUrl(req.url ?? ''), code }, `answer cut off: ${message}`);
    },
    onUpgrade(raw, upstream) {
      checkHandshake(raw, headerValue(req.rawHeaders, 'sec-websocket-key') ?? '');
      if (!upgrade || !options.early) throw new ProxyError('UPSTREAM_INVALID', 'an unasked 101');
      attempt.onOutcome(true);
      const passed = responseHeaders(raw);
      const headers =
        rewriting?.response({ method, status: 101, headers: passed }).headers ?? passed;
      res.statusCode = 101;
      upgrade.socket.write(switching([...headers, ...extraHeaders]), 'latin1');
      options.tunnels.join(upgrade.socket, upstream as Duplex, options.early.take());
    },
  });
  const outgoing: Outgoing = {
    req,
    res,
    method,
    path,
    headers: rewriting?.request(plain) ?? plain,
    body: options.body,
    isUpgrade: upgrade !== undefined,
    isFresh: options.isFresh,
  };
  try {
    relay.attach(attempt.engine.exchange(outgoing, relay));
  } catch (error) {
    relay.onError(error);
  }
  await relay.outcome;
}

function switching(headers: RawHeaders): string {
  let head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
  for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}
