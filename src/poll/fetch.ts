import type { Dispatcher } from 'undici';
import type { Clock } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import { upstreamError } from '../shared/upstream.ts';
import { addAbortListener, removeAbortListener } from './abort-listeners.ts';
import type { Answer } from './answer.ts';
import { tooLarge } from './decode.ts';

/** One request for the state of an upstream resource. */
export interface PollRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query, as they go into the request line. */
  readonly target: string;
  /** Flat list of header names and values: everything that the poll carries. */
  readonly headers: readonly string[];
  /** Of a `POST`. */
  readonly body: Buffer | undefined;
  /** Longest time for the whole exchange. */
  readonly timeoutMs: number;
  /** Largest body, as it comes. */
  readonly maxBytes: number;
}

/** Send one poll. @throws {ProxyError} when there is no whole answer. */
export type Fetch = (request: PollRequest, signal: AbortSignal) => Promise<Answer>;

/**
 * Make a `Fetch` over a pool of connections. It follows no redirect and accepts gzip at most.
 *
 * It throws `UPSTREAM_TIMEOUT` after `timeoutMs`, `UPSTREAM_TOO_LARGE` above `maxBytes`, and
 * `UPSTREAM_UNREACHABLE`, `UPSTREAM_RESET` or `UPSTREAM_INVALID` as the exchange fails.
 */
export function createFetch(pool: Dispatcher, clock: Clock): Fetch {
  return withRetry((request, signal) => exchange(pool, clock, request, signal));
}

/** Ask once more where the connection was the matter. */
export function withRetry(fetch: Fetch): Fetch {
  return async (request, signal) => {
    try {
      return await fetch(request, signal);
    } catch (error) {
      // The upstream may close a kept connection just as it is used: that is no failure of it.
      const isStale = error instanceof ProxyError && error.code === 'UPSTREAM_RESET';
      if (!isStale || signal.aborted) throw error;
      return fetch(request, signal);
    }
  };
}

const NO_BODY = Buffer.alloc(0);
const NO_HEADERS: ReadonlyMap<string, string> = new Map();

function exchange(
  pool: Dispatcher,
  clock: Clock,
  request: PollRequest,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let failure: Error | undefined;
    let status = 0;
    let headers = NO_HEADERS;
    let setCookies: readonly string[] = [];
    const chunks: Buffer[] = [];
    let bytes = 0;

    const timer = clock.after(request.timeoutMs, () =>
      fail(new ProxyError('UPSTREAM_TIMEOUT', `no whole answer within ${request.timeoutMs} ms`)),
    );
    const onAbort = () => fail(new ProxyError('UPSTREAM_RESET', 'the poll was abandoned'));
    addAbortListener(signal, onAbort);

    function settle(): void {
      timer.cancel();
      removeAbortListener(signal, onAbort);
    }
    function fail(error: Error): void {
      settle();
      failure = error;
      reject(error);
      controller?.abort(error);
    }
    function succeed(): void {
      settle();
      const [first = NO_BODY] = chunks;
      const body = chunks.length < 2 ? first : Buffer.concat(chunks, bytes);
      resolve({ status, headers, setCookies, body });
    }

    pool.dispatch(
      {
        method: request.method,
        path: request.target,
        headers: request.headers as string[], // it is read only
        body: request.body ?? null,
        headersTimeout: 0,
      },
      {
        onRequestStart(started) {
          controller = started;
          // Given up while it waited for a connection: it must not be sent any more.
          if (failure) started.abort(failure);
          else if (signal.aborted) onAbort();
        },
        onResponseStart(_controller, statusCode, fields) {
          if (statusCode < 200) return;
          status = statusCode;
          headers = firstValues(fields);
          setCookies = linesOf(fields['set-cookie']);
          // undici 7 takes the Content-Length of a 304 for one of a body (RFC 9110 §8.6 allows it)
          // and fails afterwards: such an answer is whole with its head.
          if (status === 204 || status === 304) succeed();
        },
        onResponseData(_controller, chunk) {
          bytes += chunk.length;
          if (bytes <= request.maxBytes) chunks.push(chunk);
          else fail(tooLarge(request.maxBytes));
        },
        onResponseEnd: succeed,
        onResponseError: (_controller, error) => fail(upstreamError(error)),
      },
    );
  });
}

/** Headers that may be told in several lines (RFC 9110 §5.3), all of which count. */
const LISTS = new Set(['vary', 'cache-control', 'content-language']);

/** The value of each header, by names in lower case: lists joined, of others the first line. */
export function firstValues(
  fields: Record<string, string | string[] | undefined>,
): Map<string, string> {
  const values = new Map<string, string>();
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    const text = Array.isArray(value) ? oneOf(name, value) : value;
    if (text !== undefined) values.set(name, text);
  }
  return values;
}

function oneOf(name: string, lines: readonly string[]): string | undefined {
  return LISTS.has(name) ? lines.join(', ') : lines[0];
}

/** All lines of a header. */
export function linesOf(value: string | string[] | undefined): readonly string[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
