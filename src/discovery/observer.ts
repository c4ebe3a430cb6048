import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DiscoveryReport } from '../shared/discovery-report.ts';
import type { Downstream } from '../shared/downstream.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValue } from '../shared/raw-headers.ts';
import { http2StreamOf } from '../shared/truncate.ts';
import { Attention } from './attention.ts';
import { discoverInPieces } from './discovery.ts';
import { createKeyedHash } from './keyed-hash.ts';
import type { Sender } from './seen.ts';
import { pageOf, senderOf } from './seen.ts';
import { isPrefetchPurpose, readAnswerHeaders } from './seen-headers.ts';
import { kindOfRequest } from './seen-kind.ts';
import type { TrafficLimits } from './traffic.ts';
import { LIVE_LIMITS, Traffic } from './traffic.ts';

/** A request that came by. */
export interface Passing {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly target: string;
  readonly downstream: Downstream;
}

/** Watches the requests of a running proxy. */
export interface Observer {
  /**
   * Note a request; what it was answered with is read when the answer is over.
   *
   * @param route - Where it goes: only those to the site and to live endpoints are looked at.
   * @returns to be called with the headers of the site's answer, if it is asked; `undefined` when
   *   the request says nothing.
   */
  observe(passing: Passing, route: string): ((headers: RawHeaders) => void) | undefined;
  /** What is polled, as far as it was seen. */
  report(): Promise<DiscoveryReport>;
}

/** What an observer needs. */
export interface ObserverOptions {
  /** Milliseconds since 1970: values of cache-busters are compared with it. */
  readonly now: () => number;
  /** At least 8 random bytes: without them no hash tells anything. */
  readonly secret: Uint8Array;
  readonly limits?: TrafficLimits;
}

/** Cookies by which sites know who asks; others come and go. */
const SESSION_COOKIE = /(?:^|; ?)([^=; ]*(?:sess|sid|auth|token|jwt|login)[^=; ]*)=[^;]*/gi;
const NO_HEADERS: RawHeaders = [];
const NONE: readonly string[] = [];

/** What a `User-Agent` says, read once. */
interface Agent {
  readonly name: string;
  readonly sender: Sender;
}
const WATCHED: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST']);
const MAX_AGENTS = 500;
/** Reports cost time: whoever asks again at once gets the same. */
const REPORT_AGE_MS = 2_000;

/** Start to watch: bounded memory, and of queries and cookies nothing but keyed hashes. */
export function createObserver({ now, secret, limits = LIVE_LIMITS }: ObserverOptions): Observer {
  const words = new DataView(secret.buffer, secret.byteOffset, 8);
  const key = [words.getInt32(0), words.getInt32(4)] as const;
  const traffic = new Traffic({ limits, key, texts: 'forget' });
  const attention = new Attention(createKeyedHash(key));
  const agents = new Map<string, Agent>();
  let last: { readonly atMs: number; readonly report: Promise<DiscoveryReport> } | undefined;

  function agentOf(userAgent: string): Agent {
    let agent = agents.get(userAgent);
    if (!agent) {
      if (agents.size >= MAX_AGENTS) agents.clear();
      agent = { name: traffic.nameOf(userAgent), sender: senderOf(userAgent) };
      agents.set(userAgent, agent);
    }
    return agent;
  }

  return {
    observe({ req, res, target, downstream }, route) {
      const { method = '', rawHeaders, socket } = req;
      const isAsked = (route === 'site' || route === 'live') && WATCHED.has(method);
      if (!isAsked) return undefined;
      const atMs = now();
      if (!attention.takes(downstream.address, atMs)) return undefined;
      // Many answers share an HTTP/2 connection, and nobody counts them apart.
      const isCounted = http2StreamOf(req) === undefined;
      const bytesBefore = isCounted ? socket.bytesWritten : 0;
      let answered = NO_HEADERS;
      res.once('close', () => {
        if (!res.headersSent) return;
        const request = readRequestHeaders(rawHeaders);
        // A stream is no poll.
        if (request.accept === 'text/event-stream') return;
        const mimeType = headerValue(answered, 'content-type');
        const length = headerValue(answered, 'content-length');
        const counted = isCounted ? socket.bytesWritten - bytesBefore : undefined;
        const agent = agentOf(request.userAgent);
        const sessions = request.cookie?.match(SESSION_COOKIE) ?? NONE;
        const { destination, accept, hasAuthorization } = request;
        traffic.see({
          atMs,
          resolutionMs: 1,
          client: `${downstream.address} ${agent.name}${sessions.join('')}`,
          host: '',
          method,
          target,
          status: res.statusCode,
          durationMs: now() - atMs,
          bytes: length === undefined ? counted : Number(length),
          content: headerValue(answered, 'etag'),
          kind: request.isPrefetch
            ? 'asset'
            : kindOfRequest({ target, mimeType, destination, accept }),
          page: pageOf(request.referer),
          sender: destination === undefined ? agent.sender : 'page',
          headers: {
            cookies: namesOf(sessions),
            hasCookies: request.cookie !== undefined,
            hasAuthorization,
            mayLackCredentials: false,
            ...readAnswerHeaders((name) => headerValue(answered, name)),
          },
          isLive: route === 'live',
          standsFor: attention.oneIn,
        });
      });
      return (headers) => {
        answered = headers;
      };
    },
    report() {
      if (!last || now() - last.atMs >= REPORT_AGE_MS) {
        const oneIn = attention.oneInAtMost;
        const source = { kind: 'proxy', unreadable: 0, oneIn } as const;
        last = { atMs: now(), report: discoverInPieces(traffic, source, nextTurn) };
      }
      return last.report;
    },
  };
}

function namesOf(cookies: readonly string[]): string[] {
  return cookies.map((cookie) => cookie.replace(/^; ?/, '').split('=', 1)[0] ?? '');
}

/** Headers of a request that say who asks, and what for. */
interface RequestHeaders {
  userAgent: string;
  accept: string | undefined;
  cookie: string | undefined;
  referer: string | undefined;
  destination: string | undefined;
  hasAuthorization: boolean;
  isPrefetch: boolean;
}

/** One walk over all headers: Node's own table of them costs ten times as much. */
function readRequestHeaders(raw: RawHeaders): RequestHeaders {
  const found: RequestHeaders = {
    userAgent: '',
    accept: undefined,
    cookie: undefined,
    referer: undefined,
    destination: undefined,
    hasAuthorization: false,
    isPrefetch: false,
  };
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const value = raw[i + 1] ?? '';
    switch (raw[i]?.toLowerCase()) {
      case 'user-agent':
        found.userAgent = value;
        break;
      case 'accept':
        found.accept = value;
        break;
      case 'cookie':
        found.cookie = value;
        break;
      case 'referer':
        found.referer = value;
        break;
      case 'sec-fetch-dest':
        found.destination = value;
        break;
      case 'authorization':
        found.hasAuthorization = true;
        break;
      case 'sec-purpose':
      case 'purpose':
      case 'x-purpose':
      case 'x-moz':
        found.isPrefetch ||= isPrefetchPurpose(value);
        break;
    }
  }
  return found;
}
