import type { IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import { hasKnownCoding } from '../shared/raw-headers.ts';
import type { UpstreamTls } from '../shared/upstream.ts';
import { upstreamError } from '../shared/upstream.ts';
import { addAbortListener, removeAbortListener } from './abort-listeners.ts';
import type { Answer } from './answer.ts';
import { tooLarge } from './decode.ts';
import type { Fetch, PollRequest } from './fetch.ts';
import { firstValues, withRetry } from './fetch.ts';

/** Where polls go whose answers are broken HTTP. */
export interface LenientUpstream {
  readonly url: URL;
  readonly tls: UpstreamTls;
}

/**
 * Make a `Fetch` that reads broken HTTP, by Node's tolerant parser. Slower than `createFetch`.
 *
 * SECURITY: no connection carries a second poll, see the lenient engine of the pass-through.
 */
export function createLenientFetch(upstream: LenientUpstream, clock: Clock): Fetch {
  return withRetry((request, signal) => exchange(upstream, clock, request, signal));
}

function exchange(
  { url, tls }: LenientUpstream,
  clock: Clock,
  poll: PollRequest,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = send({
      hostname: url.hostname.replace(/[[\]]/g, ''),
      port: url.port,
      method: poll.method,
      path: poll.target,
      headers: [...poll.headers],
      agent: false,
      insecureHTTPParser: true,
      servername: tls.serverName,
      rejectUnauthorized: tls.verify,
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    });
    const settle = () => {
      timer.cancel();
      removeAbortListener(signal, onAbort);
    };
    const fail = (error: unknown) => {
      settle();
      reject(upstreamError(error));
      outgoing.destroy();
    };
    const onAbort = () => fail(new ProxyError('UPSTREAM_RESET', 'the poll was abandoned'));
    const timer = clock.after(poll.timeoutMs, () =>
      fail(new ProxyError('UPSTREAM_TIMEOUT', `no whole answer within ${poll.timeoutMs} ms`)),
    );
    outgoing.on('error', fail);
    if (signal.aborted) return onAbort();
    addAbortListener(signal, onAbort);
    outgoing.on('upgrade', () => fail(new ProxyError('UPSTREAM_INVALID', 'an unasked 101')));
    outgoing.on('response', (answer) => {
      if (!hasKnownCoding(answer.rawHeaders)) {
        return fail(new ProxyError('UPSTREAM_INVALID', 'an unknown transfer coding'));
      }
      collect(answer, poll.maxBytes).then((body) => {
        settle();
        const headers = firstValues(answer.headersDistinct);
        const setCookies = answer.headersDistinct['set-cookie'] ?? [];
        resolve({ status: answer.statusCode ?? 0, headers, setCookies, body });
      }, fail);
    });
    outgoing.end(poll.body);
  });
}

async function collect(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
