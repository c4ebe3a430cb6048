import type { Duplex, Readable } from 'node:stream';
import type { Dispatcher, Pool } from 'undici';
import type { Clock, Timer } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { AnswerHandler, Engine, Flow } from './exchange.ts';
import { isBodiless } from './exchange.ts';

/** Connections of one upstream: kept ones, and ones that are used once. */
export interface StrictEngineOptions {
  /** Pools that ask whether a connection is wanted before they open one. */
  readonly createPool: (isSingleUse: boolean, isWanted: () => boolean) => Pool;
  /** Longest wait for the head of the answer; 0 is for ever. */
  readonly responseTimeoutMs: number;
  readonly clock: Clock;
}

/** The engine for upstreams that speak HTTP as it is written: fast, and refuses what is ambiguous. */
export function createStrictEngine(options: StrictEngineOptions): Engine {
  const { createPool, responseTimeoutMs } = options;
  const waiting: Waiting = { exchanges: 0 };
  const isWanted = () => waiting.exchanges > 0;
  const pool = createPool(false, isWanted);
  const freshPool = createPool(true, isWanted);
  return {
    reusesConnections: true,
    exchange(outgoing, handler) {
      const exchange = new StrictExchange(handler, outgoing.method, options, waiting);
      const isSingleUse = outgoing.isFresh || outgoing.isUpgrade;
      const connections = isSingleUse ? freshPool : pool;
      const dispatched: Dispatcher.DispatchOptions & { readonly servername: string } = {
        method: outgoing.method as Dispatcher.HttpMethod,
        path: outgoing.path,
        headers: outgoing.headers as string[],
        // undici takes any iterable, though its types do not say so.
        body: (outgoing.body?.content() ?? null) as Readable | null,
        upgrade: outgoing.isUpgrade ? 'websocket' : null,
        reset: isSingleUse,
        headersTimeout: responseTimeoutMs,
        bodyTimeout: 0,
        // Only so that undici does not take it from `Host`, and each connection is for one host: whose
        // certificate it must be is the pool's matter.
        servername: 'upstream',
      };
      connections.dispatch(dispatched, exchange);
      return exchange;
    },
    async close() {
      await Promise.all([pool.destroy(), freshPool.destroy()]);
    },
  };
}

/** How many exchanges have no connection yet. A mere number: a set of them would cost much. */
interface Waiting {
  exchanges: number;
}

/** One exchange, between undici's handler and ours. */
class StrictExchange implements Dispatcher.DispatchHandler, Flow {
  readonly #handler: AnswerHandler;
  readonly #method: string;
  readonly #options: StrictEngineOptions;
  readonly #waiting: Waiting;
  #isWaiting = true;
  #controller: Dispatcher.DispatchController | undefined;
  #reason: Error | undefined;
  #isOver = false;
  #patience: Timer | undefined;

  constructor(
    handler: AnswerHandler,
    method: string,
    options: StrictEngineOptions,
    waiting: Waiting,
  ) {
    this.#waiting = waiting;
    waiting.exchanges += 1;
    this.#handler = handler;
    this.#method = method;
    this.#options = options;
  }

  resume(): void {
    this.#controller?.resume();
  }

  abort(error: Error): void {
    this.#reason = error;
    this.#stopWaiting();
    this.#controller?.abort(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#stopWaiting();
    // Given up while it waited for a connection: it must not be sent any more.
    if (this.#reason) controller.abort(this.#reason);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    reason?: string,
  ): void {
    if (status < 200) this.#limitInformation();
    else this.#patience?.cancel();
    const headers = latin1(controller.rawHeaders);
    this.#handler.onHead({ status, reason: printable(reason), headers });
    if (status < 200 || !isBodiless(this.#method, status)) return;
    // undici fails on a Content-Length without a body; the answer is whole already.
    this.#isOver = true;
    this.#handler.onEnd([]);
  }

  #stopWaiting(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#waiting.exchanges -= 1;
  }

  /** Each informational answer begins undici's wait anew; without end they would be for ever. */
  #limitInformation(): void {
    const { clock, responseTimeoutMs } = this.#options;
    if (this.#patience || responseTimeoutMs === 0) return;
    this.#patience = clock.after(responseTimeoutMs, () =>
      this.abort(new ProxyError('UPSTREAM_TIMEOUT', 'informational answers only')),
    );
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#isOver && !this.#handler.onData(chunk)) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handler.onEnd(latin1(controller.rawTrailers));
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    _status: number,
    _headers: unknown,
    socket: Duplex,
  ): void {
    this.#isOver = true;
    this.#patience?.cancel();
    this.#handler.onUpgrade(latin1(controller.rawHeaders), socket);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#stopWaiting();
    if (this.#isOver) return;
    this.#isOver = true;
    this.#patience?.cancel();
    this.#handler.onError(this.#reason ?? error);
  }
}

/** undici reads the reason phrase as UTF-8; what it could not read would be refused by Node. */
function printable(reason: string | undefined): string | undefined {
  return reason !== undefined && /^[\t\x20-\x7e]+$/.test(reason) ? reason : undefined;
}

function latin1(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  return ((raw ?? []) as (Buffer | string)[]).map((part) =>
    typeof part === 'string' ? part : part.toString('latin1'),
  );
}
