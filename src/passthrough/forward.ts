import type { Duplex } from 'node:stream';
import type { Clock } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { redactUrl } from '../shared/logger.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { hasBody, headerValue } from '../shared/raw-headers.ts';
import { isConnectFailure, upstreamError } from '../shared/upstream.ts';
import type { Outgoing } from './exchange.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import type { RelayHooks } from './relay.ts';
import { Relay } from './relay.ts';
import type { RequestBody } from './request-body.ts';
import { discardRest, openBody } from './request-body.ts';
import type { Attempt, ForwardExchange, Route } from './route.ts';
import type { Tunnels } from './tunnel.ts';
import { checkHandshake, EarlyBytes } from './tunnel.ts';
import { witnessed } from './witnessed.ts';

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

const SAFE = /^(?:GET|HEAD|OPTIONS)$/;

/**
 * Pass one request, or one upgrade, to a server of its route, and the answer back: streaming both
 * ways, nothing buffered.
 *
 * @param onFailure - Called once with a `ProxyError`, and never throws, when there is no answer to
 *   pass on. Once the head has left it is not called any more.
 */
export type Forward = (
  route: Route,
  exchange: ForwardExchange,
  onFailure: (failure: ProxyError) => void,
) => void;

/** Make the pass-through. */
export function createForward(options: ForwardOptions): Forward {
  return (route, exchange, onFailure) => {
    const passage = new Passage(options, route, exchange, onFailure);
    const { req, res } = exchange;
    if (!hasBody(req.rawHeaders)) return passage.start(undefined);
    const { clock, bodyTimeoutMs: timeoutMs } = options;
    openBody(req, res, { clock, timeoutMs }).then(
      (body) => passage.start(body),
      (error: unknown) => onFailure(upstreamError(error)),
    );
  };
}

/** One request on its way, from one server to the next if need be. */
class Passage implements RelayHooks {
  readonly #options: ForwardOptions;
  readonly #route: Route;
  readonly #exchange: ForwardExchange;
  readonly #onFailure: (failure: ProxyError) => void;
  readonly #early: EarlyBytes | undefined;
  readonly #attempts: readonly Attempt[];
  #next = 0;
  #attempt: Attempt | undefined;
  #body: RequestBody | undefined;
  #isFresh: boolean;

  constructor(
    options: ForwardOptions,
    route: Route,
    exchange: ForwardExchange,
    onFailure: (failure: ProxyError) => void,
  ) {
    this.#options = options;
    this.#route = route;
    this.#exchange = exchange;
    this.#onFailure = onFailure;
    const { upgrade } = exchange;
    this.#early = upgrade && new EarlyBytes(upgrade.socket, upgrade.head);
    // Upgrades never go out on a kept connection.
    this.#isFresh = upgrade !== undefined;
    this.#attempts = route.attempts(exchange);
  }

  start(body: RequestBody | undefined): void {
    this.#body = body;
    this.#tryNext();
  }

  onAnswer(status: number, headers: RawHeaders): RawHeaders {
    this.#attempt?.onOutcome('answered');
    this.#early?.discard();
    return this.#exchange.onAnswer?.(status, headers) ?? [];
  }

  onCut({ code, message }: ProxyError): void {
    const { method, url = '' } = this.#exchange.req;
    const fields = { method, url: redactUrl(url), code };
    this.#options.log.warn(fields, `answer cut off: ${message}`);
  }

  onUpgrade(raw: RawHeaders, upstream: Duplex): void {
    const { req, res, upgrade } = this.#exchange;
    checkHandshake(raw, headerValue(req.rawHeaders, 'sec-websocket-key') ?? '');
    if (!upgrade || !this.#early || !this.#attempt) {
      throw new ProxyError('UPSTREAM_INVALID', 'an unasked 101');
    }
    const { rewriting, extraHeaders, onOutcome } = this.#attempt;
    onOutcome('answered');
    const passed = responseHeaders(raw);
    const head = { method: 'GET', status: 101, headers: passed };
    const headers = rewriting?.response(head).headers ?? passed;
    res.statusCode = 101;
    upgrade.socket.write(switching([...headers, ...extraHeaders]), 'latin1');
    this.#options.tunnels.join(upgrade.socket, upstream, this.#early.take());
  }

  onFailure(failure: ProxyError): void {
    const { req, res } = this.#exchange;
    const isUnreached = isConnectFailure(failure);
    const isReset = !isUnreached && failure.code === 'UPSTREAM_RESET';
    if (isUnreached) this.#attempt?.onOutcome('unreached');
    else if (isReset) this.#attempt?.onOutcome('reset');
    if (res.destroyed) return;
    // A kept connection may be closed by the server just as we use it: once more, on a fresh one.
    if (
      isReset &&
      this.#isRepeatable &&
      !this.#isFresh &&
      this.#attempt?.engine.reusesConnections
    ) {
      this.#isFresh = true;
      this.#next -= 1;
      return this.#tryNext();
    }
    const mayAskAnother = isUnreached || (isReset && this.#isRepeatable);
    if (mayAskAnother && this.#next < this.#attempts.length) return this.#tryNext();
    discardRest(req, res, this.#options.clock);
    this.#onFailure(failure);
  }

  /** Asking twice is harmless, and there is no body that could be gone (RFC 9110 §9.2.1). */
  get #isRepeatable(): boolean {
    const { req, upgrade } = this.#exchange;
    return !upgrade && this.#body === undefined && SAFE.test(req.method ?? '');
  }

  #tryNext(): void {
    const attempt = this.#attempts[this.#next];
    if (!attempt) return this.#onFailure(new ProxyError('INTERNAL', 'a route without servers'));
    this.#attempt = attempt;
    this.#next += 1;
    const { req, res, downstream, upgrade, witness } = this.#exchange;
    const { pseudonym } = this.#options;
    const method = req.method ?? 'GET';
    const plain = requestHeaders(req.rawHeaders, {
      downstream,
      upstreamHost: attempt.host,
      via: pseudonym && `${req.httpVersion} ${pseudonym}`,
    });
    const { rewriting, extraHeaders, path, engine } = attempt;
    const { clock, sendTimeoutMs } = this.#options;
    const { bodyTimeoutMs } = this.#route;
    const relay = new Relay(
      res,
      { method, rewriting, extraHeaders, clock, bodyTimeoutMs, sendTimeoutMs },
      this,
    );
    const outgoing: Outgoing = {
      req,
      res,
      method,
      path,
      headers: rewriting?.request(plain) ?? plain,
      body: this.#body,
      isUpgrade: upgrade !== undefined,
      isFresh: this.#isFresh,
    };
    try {
      const handler = witness ? witnessed(relay, witness, this.#options.log) : relay;
      relay.attach(engine.exchange(outgoing, handler));
    } catch (error) {
      relay.onError(error);
    }
  }
}

function switching(headers: RawHeaders): string {
  let head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
  for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}
