import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Downstream } from '../shared/downstream.ts';
import { ProxyError } from '../shared/errors.ts';
import { hasBody, headerValues } from '../shared/raw-headers.ts';
import { upstreamError } from '../shared/upstream.ts';
import { requestHeaders, responseHeaders } from './headers.ts';

/** How one upstream is spoken to. */
export interface ForwardOptions {
  readonly pool: Dispatcher;
  /** The `Host` to send; `undefined` keeps the client's. */
  readonly upstreamHost: string | undefined;
  /** Longest wait for the head of the answer; 0 is for ever. */
  readonly responseTimeoutMs: number;
}

/** Pass one request to the upstream and its answer back. */
export type Forward = (
  req: IncomingMessage,
  res: ServerResponse,
  target: string,
  downstream: Downstream,
) => Promise<void>;

/** Answers that have no body, whatever their headers say (RFC 9112 §6.3). */
function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

/**
 * Make the pass-through to one upstream: streaming both ways, nothing buffered, nothing changed
 * but what belongs to the connection.
 *
 * The promise rejects with a `ProxyError` when there is no answer to pass on; once the head has
 * left it always resolves, and a truncated answer is truncated for the client too.
 */
export function createForward(options: ForwardOptions): Forward {
  return async (req, res, target, downstream) => {
    const headers = requestHeaders(req.rawHeaders, { ...options, downstream });
    const withBody = hasBody(req.rawHeaders);
    const attempt = () => exchange(req, res, { target, headers, withBody }, options);
    try {
      await attempt();
    } catch (error) {
      // A kept connection may be closed by the upstream just as we use it. Nothing has been
      // answered, and asking twice is harmless: try once more, on another connection.
      const isStale = error instanceof ProxyError && error.code === 'UPSTREAM_RESET';
      const isSafe = !withBody && /^(?:GET|HEAD|OPTIONS)$/.test(req.method ?? '');
      if (!isStale || !isSafe || res.destroyed) throw error;
      await attempt();
    }
  };
}

interface Outgoing {
  readonly target: string;
  readonly headers: readonly string[];
  readonly withBody: boolean;
}

function exchange(
  req: IncomingMessage,
  res: ServerResponse,
  { target, headers, withBody }: Outgoing,
  { pool, responseTimeoutMs }: ForwardOptions,
): Promise<void> {
  const method = req.method ?? 'GET';
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let isComplete = false;

    const onClientGone = () => {
      if (!isComplete) controller?.abort(new ProxyError('UPSTREAM_RESET', 'the client left'));
    };
    res.once('close', onClientGone);

    function finish(error?: Error): void {
      isComplete = true;
      res.off('close', onClientGone);
      if (!error || res.destroyed) resolve();
      else if (!res.headersSent) reject(upstreamError(error));
      else {
        truncate(res);
        resolve();
      }
    }

    pool.dispatch(
      {
        method,
        path: target,
        headers: [...headers],
        body: withBody ? bodyOf(req) : null,
        headersTimeout: responseTimeoutMs,
        bodyTimeout: 0,
      },
      {
        onRequestStart(started) {
          controller = started;
          if (res.destroyed) onClientGone();
        },
        onResponseStart(_controller, status, _headers, reason) {
          // A 100 was ours to give, and old HTTP/1.1 clients trip over the others.
          if (status < 200) return;
          const raw = latin1((started(controller).rawHeaders ?? []) as readonly Buffer[]);
          // SECURITY: an answer whose end cannot be known is not passed on.
          if (headerValues(raw, 'transfer-encoding').some((te) => te.toLowerCase() !== 'chunked')) {
            throw new ProxyError('UPSTREAM_INVALID', 'an unknown transfer coding');
          }
          writeHead(res, status, reason, raw);
          if (!isBodiless(method, status)) return;
          // undici fails on a Content-Length without a body; the answer is whole already.
          res.end();
          finish();
        },
        onResponseData(_controller, chunk) {
          if (isComplete || res.write(chunk)) return;
          started(controller).pause();
          res.once('drain', () => started(controller).resume());
        },
        onResponseEnd() {
          if (isComplete) return;
          res.end();
          finish();
        },
        onResponseError(_controller, error) {
          if (!isComplete) finish(error);
        },
      },
    );
  });
}

function started(
  controller: Dispatcher.DispatchController | undefined,
): Dispatcher.DispatchController {
  if (!controller) throw new ProxyError('INTERNAL', 'an answer before its request');
  return controller;
}

function writeHead(
  res: ServerResponse,
  status: number,
  reason: string | undefined,
  raw: readonly string[],
): void {
  // undici reads the reason phrase as UTF-8; what it could not read would be refused by Node.
  const phrase = reason !== undefined && /^[\t\x20-\x7e]+$/.test(reason) ? reason : undefined;
  const headers = responseHeaders(raw);
  res.sendDate = !headers.some((name, i) => i % 2 === 0 && name.toLowerCase() === 'date');
  if (phrase === undefined) res.writeHead(status, headers);
  else res.writeHead(status, phrase, headers);
  // Send the head now. flushHeaders() would turn latin1 bytes into UTF-8.
  if (res.req.method !== 'HEAD' && status !== 204 && status !== 304) res.write(Buffer.alloc(0));
}

function latin1(raw: readonly (Buffer | string)[]): string[] {
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}

/**
 * The request body for undici, which destroys it when the answer comes before its end: that must
 * not be the request itself. What is left is read and dropped, and the connection goes on.
 */
function bodyOf(req: IncomingMessage): PassThrough {
  const body = new PassThrough();
  body.on('error', () => undefined);
  body.once('close', () => {
    req.unpipe(body);
    req.resume();
  });
  return req.pipe(body);
}

/** Let the client see that the answer is not whole: no last chunk, and for HTTP/1.0 a reset. */
function truncate(res: ServerResponse): void {
  if (res.req.httpVersion === '1.0') res.socket?.resetAndDestroy();
  else res.destroy();
}
