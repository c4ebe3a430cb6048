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

/**
 * One exchange, between undici's handler and ours. By the older names of undici's handlers: for the
 * newer ones it reads all headers and trailers into objects, which nobody here looks at.
 */
class StrictExchange implements Dispatcher.DispatchHandler, Flow {
  readonly #handler: AnswerHandler;
  readonly #method: string;
  readonly #options: StrictEngineOptions;
  readonly #waiting: Waiting;
  #isWaiting = true;
  #abort: ((error?: Error) => void) | undefined;
  #resume: (() => void) | undefined;
  #isPaused = false;
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
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#resume?.();
  }

  abort(error: Error): void {
    this.#reason = error;
    this.#stopWaiting();
    this.#abort?.(error);
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort;
    this.#stopWaiting();
    // Given up while it waited for a connection: it must not be sent any more.
    if (this.#reason) abort(this.#reason);
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, reason: string): boolean {
    this.#resume = resume;
    if (status < 200) this.#limitInformation();
    else this.#patience?.cancel();
    this.#handler.onHead({ status, reason: printable(reason), headers: latin1(raw) });
    if (status >= 200 && isBodiless(this.#method, status)) {
      // undici fails on a Content-Length without a body; the answer is whole already.
      this.#isOver = true;
      this.#handler.onEnd([]);
    }
    return true;
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

  onData(chunk: Buffer): boolean {
    this.#isPaused = !this.#isOver && !this.#handler.onData(chunk);
    return !this.#isPaused;
  }

  onComplete(trailers: Buffer[] | string[] | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handler.onEnd(latin1(trailers));
  }

  onUpgrade(_status: number, raw: Buffer[] | string[] | null, socket: Duplex): void {
    this.#isOver = true;
    this.#patience?.cancel();
    this.#handler.onUpgrade(latin1(raw), socket);
  }

  onError(error: Error): void {
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

function latin1(raw: readonly (Buffer | string)[] | null): RawHeaders {
  return (raw ?? []).map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}
