import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { Clock, Timer } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { UpstreamTls } from '../shared/upstream.ts';

/** A server that is asked whether it is there. */
export interface ReachOptions {
  /** With the path to ask for. */
  readonly url: URL;
  readonly tls: UpstreamTls;
  readonly headers: RawHeaders;
  readonly connectTimeoutMs: number;
  /** Longest wait for the head of the answer, once there is a connection. */
  readonly headTimeoutMs: number;
  /** Read broken HTTP. */
  readonly lenient: boolean;
}

/** How far it went. */
export interface Reached {
  /** Until there was a connection, TLS included; `undefined`: there was none. */
  readonly connectMs: number | undefined;
  readonly tls: string | undefined;
  readonly status: number | undefined;
  readonly tookMs: number;
  readonly error: unknown;
}

/** Ask for the head of one answer. Of the body nothing is waited for: it may be a stream. */
export function reach(options: ReachOptions, clock: Clock): Promise<Reached> {
  const { url, tls, connectTimeoutMs, headTimeoutMs } = options;
  const startedAt = clock.now();
  const isEncrypted = url.protocol === 'https:';
  return new Promise((resolve) => {
    let connectMs: number | undefined;
    let version: string | undefined;
    let timer: Timer;
    const outgoing = (isEncrypted ? httpsRequest : httpRequest)({
      hostname: url.hostname.replace(/[[\]]/g, ''),
      port: url.port,
      path: `${url.pathname}${url.search}`,
      headers: [...options.headers],
      agent: false,
      insecureHTTPParser: options.lenient,
      servername: tls.serverName,
      rejectUnauthorized: tls.verify,
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    });
    function finish(status: number | undefined, error: unknown): void {
      timer.cancel();
      outgoing.destroy();
      const tookMs = clock.now() - startedAt;
      resolve({ connectMs, tls: version, status, tookMs, error });
    }
    timer = clock.after(connectTimeoutMs, () => {
      const cause = { code: 'UND_ERR_CONNECT_TIMEOUT' };
      finish(undefined, new ProxyError('UPSTREAM_TIMEOUT', 'no connection in time', { cause }));
    });
    outgoing.once('socket', (socket) => {
      socket.once(isEncrypted ? 'secureConnect' : 'connect', () => {
        timer.cancel();
        connectMs = clock.now() - startedAt;
        version = socket instanceof TLSSocket ? (socket.getProtocol() ?? undefined) : undefined;
        timer = clock.after(headTimeoutMs, () => {
          finish(undefined, new ProxyError('UPSTREAM_TIMEOUT', `no answer in ${headTimeoutMs} ms`));
        });
      });
    });
    // An unasked 101 is an answer too.
    for (const event of ['response', 'upgrade'] as const) {
      outgoing.once(event, ({ statusCode }) => finish(statusCode, undefined));
    }
    outgoing.on('error', (error) => finish(undefined, error));
    outgoing.end();
  });
}
