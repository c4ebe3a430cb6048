import { gunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
import type { Clock } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import { upstreamError } from '../shared/upstream.ts';

/** One request for the state of an upstream resource. */
export interface PollRequest {
  /** Path and query, as they go into the request line. */
  readonly target: string;
  /** Flat list of header names and values: everything that the poll carries. */
  readonly headers: readonly string[];
  /** Longest time for the whole exchange. */
  readonly timeoutMs: number;
  /** Largest body, before and after decompression. */
  readonly maxBytes: number;
}

/** What the upstream answered. */
export interface Answer {
  readonly status: number;
  /** The value of each header, names in lower case: lists joined, of others the first line. */
  readonly headers: ReadonlyMap<string, string>;
  /** Decompressed; empty when the status has no body. */
  readonly body: Buffer;
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

/** Ask once more where the connection was the matter, and decode the answer. */
export function withRetry(fetch: Fetch): Fetch {
  return async (request, signal) => {
    const attempt = () => fetch(request, signal);
    const { status, headers, body } = await attempt().catch((error: unknown) => {
      // The upstream may close a kept connection just as it is used: that is no failure of it.
      const isStale = error instanceof ProxyError && error.code === 'UPSTREAM_RESET';
      if (!isStale || signal.aborted) throw error;
      return attempt();
    });
    return { status, headers, body: await decode(body, headers, request.maxBytes) };
  };
}

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
    let headers: ReadonlyMap<string, string> = new Map();
    const chunks: Buffer[] = [];
    let bytes = 0;

    const timer = clock.after(request.timeoutMs, () =>
      fail(new ProxyError('UPSTREAM_TIMEOUT', `no whole answer within ${request.timeoutMs} ms`)),
    );
    const onAbort = () => fail(new ProxyError('UPSTREAM_RESET', 'the poll was abandoned'));
    signal.addEventListener('abort', onAbort, { once: true });

    function settle(): void {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    }
    function fail(error: Error): void {
      settle();
      failure = error;
      reject(error);
      controller?.abort(error);
    }
    function succeed(): void {
      settle();
      resolve({ status, headers, body: Buffer.concat(chunks, bytes) });
    }

    pool.dispatch(
      { method: 'GET', path: request.target, headers: [...request.headers], headersTimeout: 0 },
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

/** The value of each header, names in lower case: lists joined, of others the first line. */
export function firstValues(
  fields: Record<string, string | string[] | undefined>,
): Map<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(fields)) {
    const lines = Array.isArray(value) ? value : [value];
    const text = LISTS.has(name.toLowerCase()) ? lines.join(', ') : lines[0];
    if (text !== undefined) values.set(name.toLowerCase(), text);
  }
  return values;
}

/** SECURITY: bounded output against decompression bombs, and never Brotli (CVE-2026-111497). */
function decode(
  body: Buffer,
  headers: ReadonlyMap<string, string>,
  maxBytes: number,
): Promise<Buffer> {
  const coding = headers.get('content-encoding')?.trim().toLowerCase() ?? '';
  if (coding === '' || coding === 'identity' || body.length === 0) return Promise.resolve(body);
  if (coding !== 'gzip' && coding !== 'x-gzip') {
    const detail = `the answer is encoded as "${coding}", which was not asked for`;
    return Promise.reject(new ProxyError('UPSTREAM_INVALID', detail));
  }
  return new Promise((resolve, reject) => {
    gunzip(body, { maxOutputLength: maxBytes }, (error, decoded) => {
      if (!error) resolve(decoded);
      else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
        reject(tooLarge(maxBytes));
      else reject(new ProxyError('UPSTREAM_INVALID', 'the gzip data is broken', { cause: error }));
    });
  });
}

/** The failure of an answer that is larger than it may be. */
export function tooLarge(maxBytes: number): ProxyError {
  return new ProxyError('UPSTREAM_TOO_LARGE', `the answer is larger than ${maxBytes} bytes`);
}
