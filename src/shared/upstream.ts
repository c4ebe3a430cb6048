import { isIP } from 'node:net';
import { buildConnector, Pool } from 'undici';
import type { ErrorCode } from './errors.ts';
import { ProxyError } from './errors.ts';

/** How to reach one upstream. */
export interface UpstreamOptions {
  readonly url: URL;
  readonly connectTimeoutMs: number;
  /** Connections at once; `undefined` is as many as there are requests. */
  readonly maxConnections?: number | undefined;
}

/**
 * Open a pool of keep-alive connections to one upstream.
 *
 * Idle connections are dropped after 4 seconds, before most servers drop them (5 s is common):
 * that keeps requests from meeting a connection that is just being closed.
 */
export function createUpstreamPool(options: UpstreamOptions): Pool {
  const connect = buildConnector({
    timeout: options.connectTimeoutMs,
    keepAlive: true,
    allowH2: false,
  });
  const { hostname } = options.url;
  // SECURITY: the certificate must be the configured upstream's. undici would check it against the
  // Host header, which is the client's.
  const servername = isIP(hostname.replace(/[[\]]/g, '')) ? '' : hostname;
  return new Pool(options.url.origin, {
    connections: options.maxConnections ?? null,
    pipelining: 1,
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 60_000,
    connect(target, done) {
      connect({ ...target, servername }, (...result) => {
        const [, socket] = result;
        // undici takes a reset for the end of an answer that has neither length nor chunks.
        socket?.prependListener('error', (error: NodeJS.ErrnoException) => {
          if (error.code === 'ECONNRESET') error.code = 'UND_ERR_SOCKET';
        });
        done(...result);
      });
    },
    // Answers may take any time: a stream is not to be cut by a default.
    bodyTimeout: 0,
    maxHeaderSize: 64 * 1_024,
    allowH2: false,
  });
}

const UNREACHABLE =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|EADDRNOTAVAIL|EACCES|ENOENT|EMFILE|ERR_TLS.*|CERT_.*|DEPTH_ZERO.*|SELF_SIGNED.*|UNABLE_TO.*|ERR_SSL.*)$/;
const TIMEOUT =
  /^(?:UND_ERR_CONNECT_TIMEOUT|UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT|ETIMEDOUT)$/;
const RESET = /^(?:UND_ERR_SOCKET|ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_CLOSED|UND_ERR_DESTROYED)$/;

/** Say what a failed exchange with an upstream means, keeping the error as the cause. */
export function upstreamError(error: unknown): ProxyError {
  if (error instanceof ProxyError) return error;
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  const detail = code && !message.includes(code) ? `${message || 'failed'} (${code})` : message;
  return new ProxyError(codeOf(code, message), detail, { cause: error });
}

function codeOf(code: string, message: string): ErrorCode {
  if (TIMEOUT.test(code)) return 'UPSTREAM_TIMEOUT';
  if (UNREACHABLE.test(code)) return 'UPSTREAM_UNREACHABLE';
  // undici's words for an answer that it did not expect, such as a 101 or an early 100.
  if (code === 'UND_ERR_SOCKET' && /^bad (?:response|upgrade)/.test(message))
    return 'UPSTREAM_INVALID';
  if (RESET.test(code)) return 'UPSTREAM_RESET';
  return 'UPSTREAM_INVALID';
}
