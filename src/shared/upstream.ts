import { connect as connectTcp, isIP } from 'node:net';
import { buildConnector, Pool } from 'undici';
import type { ErrorCode } from './errors.ts';
import { ProxyError } from './errors.ts';

/** Largest head of an upstream's answer. */
export const MAX_HEADER_BYTES = 64 * 1_024;

/** How the certificate of an upstream is judged. */
export interface UpstreamTls {
  /** PEM text of the authorities that are trusted instead of the well-known ones. */
  readonly ca: string | undefined;
  /** The name that the certificate must be for; empty for an address. */
  readonly serverName: string;
  readonly verify: boolean;
}

/** How to reach one upstream. */
export interface UpstreamOptions {
  readonly url: URL;
  readonly connectTimeoutMs: number;
  /** Default: verified against the well-known authorities, for the host of the URL. */
  readonly tls?: UpstreamTls;
  /** Use each connection for one exchange only. */
  readonly isSingleUse?: boolean;
  /** Does anybody wait for a connection? */
  readonly isWanted?: () => boolean;
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
  const { ca, serverName: servername, verify } = options.tls ?? defaultTls(options.url);
  const connect = buildConnector({
    timeout: options.connectTimeoutMs,
    keepAlive: true,
    allowH2: false,
    rejectUnauthorized: verify,
    ...(ca === undefined ? {} : { ca }),
  });
  return new Pool(options.url.origin, {
    connections: options.maxConnections ?? null,
    pipelining: options.isSingleUse ? 0 : 1,
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 60_000,
    connect(target, done) {
      // undici opens another connection for a request that was given up on the one before.
      if (options.isWanted?.() === false) return done(new Error('nobody waits for it'), null);
      // SECURITY: the certificate must be the configured upstream's. undici would check it against
      // the Host header, which is the client's.
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
    maxHeaderSize: MAX_HEADER_BYTES,
    allowH2: false,
  });
}

function defaultTls(url: URL): UpstreamTls {
  return { ca: undefined, serverName: defaultServerName(url), verify: true };
}

/** The name that an upstream's certificate is for, unless the config says otherwise. */
export function defaultServerName(url: URL): string {
  const host = url.hostname.replace(/[[\]]/g, '');
  return isIP(host) ? '' : host;
}

const UNREACHABLE =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|EADDRNOTAVAIL|EACCES|ENOENT|EMFILE|ERR_TLS.*|CERT_.*|DEPTH_ZERO.*|SELF_SIGNED.*|UNABLE_TO.*|ERR_SSL.*)$/;
const TIMEOUT =
  /^(?:UND_ERR_CONNECT_TIMEOUT|UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT|ETIMEDOUT)$/;
const RESET = /^(?:UND_ERR_SOCKET|ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_CLOSED|UND_ERR_DESTROYED)$/;

/** Say what a failed exchange with an upstream means, keeping the error as the cause. */
export function upstreamError(error: unknown): ProxyError {
  if (error instanceof ProxyError) return error;
  const { code = '', message: text = String(error) } = error as { code?: string; message?: string };
  const message = text.replace(/\s+/g, ' ').trim();
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

/** Did an exchange fail before anything was sent? */
export function isConnectFailure({ code, cause }: ProxyError): boolean {
  if (code === 'UPSTREAM_UNREACHABLE') return true;
  const { code: inner, syscall } = (cause ?? {}) as { code?: string; syscall?: string };
  return inner === 'UND_ERR_CONNECT_TIMEOUT' || syscall === 'connect';
}

/** Is it the form of the answer that could not be read, and a more tolerant parser might? */
export function isUnreadable({ code, cause }: ProxyError): boolean {
  if (code !== 'UPSTREAM_INVALID' || !(cause instanceof Error)) return false;
  const isMismatch = 'code' in cause && cause.code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
  return isMismatch || cause.name === 'HTTPParserError' || cause.message.startsWith('bad response');
}

/** Does anybody take connections at this address? Nothing is sent. */
export function canConnect(url: URL, signal: AbortSignal): Promise<boolean> {
  const host = url.hostname.replace(/[[\]]/g, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port, signal });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
  });
}
