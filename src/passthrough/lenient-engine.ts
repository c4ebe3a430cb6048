import type { ClientRequest, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import httpProxy from 'http-proxy';
import type { Clock } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import type { UpstreamTls } from '../shared/upstream.ts';
import type { AnswerHandler, Engine, Flow, Outgoing } from './exchange.ts';

/** How one upstream with broken HTTP is spoken to. */
export interface LenientEngineOptions {
  readonly url: URL;
  readonly tls: UpstreamTls;
  readonly connectTimeoutMs: number;
  /** Longest wait for the head of the answer; 0 is for ever. */
  readonly responseTimeoutMs: number;
  readonly clock: Clock;
  /** For upgrades: tunnels need an exact handshake. */
  readonly upgrades: Engine;
}

/**
 * The engine for upstreams whose HTTP is broken: bare line feeds, folded headers, control
 * characters, an unasked 100 Continue. It stands on `http-proxy` (the maintained fork of that
 * name) and Node's tolerant parser.
 *
 * SECURITY: what the tolerant parser reads may be ambiguous, so no connection carries a second
 * exchange: there is no next answer that could be confused. The library is a mere engine here; what
 * leaves toward either side is written by us.
 */
export function createLenientEngine(options: LenientEngineOptions): Engine {
  const exchanges = new WeakMap<IncomingMessage, LenientExchange>();
  const proxy = httpProxy.createProxyServer({
    target: options.url.origin,
    // The raw target goes on as it is: the library would normalise it through `new URL`.
    toProxy: true,
    xfwd: false,
    selfHandleResponse: true,
    secure: options.tls.verify,
    ...(options.tls.ca === undefined ? {} : { ca: options.tls.ca }),
  });
  proxy.on('proxyReq', (proxyReq: ClientRequest, req: IncomingMessage) => {
    exchanges.get(req)?.onRequest(proxyReq);
  });
  proxy.on('proxyRes', (answer: IncomingMessage, req: IncomingMessage) => {
    exchanges.get(req)?.onAnswer(answer);
  });
  // Without a listener the library throws; each exchange has a callback of its own.
  proxy.on('error', () => undefined);
  proxy.on('econnreset', () => undefined);

  return {
    takesBodyEarly: true,
    reusesConnections: false,
    exchange(outgoing, handler) {
      if (outgoing.isUpgrade) return options.upgrades.exchange(outgoing, handler);
      const exchange = new LenientExchange(outgoing, handler, options);
      const { req, res } = outgoing;
      exchanges.set(req, exchange);
      // The library would wait for a 100 where it sees Expect.
      delete req.headers.expect;
      const body = outgoing.body ? Readable.from(outgoing.body()) : Readable.from([]);
      body.on('error', (error) => exchange.abort(error));
      // What the library takes for TLS options are the options of the whole request.
      const ssl = { insecureHTTPParser: true, servername: options.tls.serverName };
      // It takes the path from the request, and nobody else is to see another one there.
      const { url } = req;
      req.url = outgoing.path;
      try {
        proxy.web(req, res, { buffer: body, ssl }, (error: Error) => exchange.onError(error));
      } finally {
        if (url !== undefined) req.url = url;
      }
      return exchange;
    },
    close: () => options.upgrades.close(),
  };
}

class LenientExchange implements Flow {
  readonly #outgoing: Outgoing;
  readonly #handler: AnswerHandler;
  readonly #options: LenientEngineOptions;
  #request: ClientRequest | undefined;
  #answer: IncomingMessage | undefined;
  #reason: Error | undefined;
  #isOver = false;

  constructor(outgoing: Outgoing, handler: AnswerHandler, options: LenientEngineOptions) {
    this.#outgoing = outgoing;
    this.#handler = handler;
    this.#options = options;
  }

  resume(): void {
    this.#answer?.resume();
  }

  abort(error: Error): void {
    this.#reason = error;
    this.#answer?.destroy(error);
    this.#request?.destroy(error);
    this.onError(error);
  }

  onError(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handler.onError(this.#reason ?? error);
  }

  onRequest(request: ClientRequest): void {
    this.#request = request;
    if (this.#reason) {
      request.destroy(this.#reason);
      return;
    }
    replaceHeaders(request, this.#outgoing);
    request.on('information', () => undefined);
    const { connectTimeoutMs, responseTimeoutMs, clock } = this.#options;
    const connecting = clock.after(connectTimeoutMs, () => {
      const cause = { code: 'UND_ERR_CONNECT_TIMEOUT' };
      this.abort(new ProxyError('UPSTREAM_TIMEOUT', 'no connection in time', { cause }));
    });
    request.once('close', () => connecting.cancel());
    const onConnected = () => {
      connecting.cancel();
      if (responseTimeoutMs === 0) return;
      const waiting = clock.after(responseTimeoutMs, () => {
        this.abort(new ProxyError('UPSTREAM_TIMEOUT', 'no answer in time'));
      });
      request.once('close', () => waiting.cancel());
      request.once('response', () => waiting.cancel());
    };
    const { socket } = request;
    if (!socket?.connecting) onConnected();
    else
      socket.once(
        this.#options.url.protocol === 'https:' ? 'secureConnect' : 'connect',
        onConnected,
      );
    // Nobody asked for an upgrade: Node would leave the connection to us, open.
    request.once('upgrade', () => this.abort(new ProxyError('UPSTREAM_INVALID', 'an unasked 101')));
  }

  onAnswer(answer: IncomingMessage): void {
    this.#answer = answer;
    const { statusCode: status = 0, statusMessage, rawHeaders: headers } = answer;
    const reason = /^[\t\x20-\x7e]+$/.test(statusMessage ?? '') ? statusMessage : undefined;
    answer.on('error', (error) => this.onError(error));
    try {
      this.#handler.onHead({ status, reason, headers });
    } catch (error) {
      this.abort(error as Error);
      return;
    }
    answer.on('data', (chunk: Buffer) => {
      if (!this.#isOver && !this.#handler.onData(chunk)) answer.pause();
    });
    answer.on('close', () => {
      if (this.#isOver) return;
      if (!answer.complete) {
        this.onError(new ProxyError('UPSTREAM_RESET', 'the answer broke off'));
        return;
      }
      this.#isOver = true;
      this.#handler.onEnd(answer.rawTrailers);
    });
  }
}

/** Node's client takes duplicates as a list under the name in its first spelling. */
function replaceHeaders(request: ClientRequest, { headers, body }: Outgoing): void {
  for (const name of request.getHeaderNames()) request.removeHeader(name);
  const byName = new Map<string, { name: string; values: string[] }>();
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = [headers[i], headers[i + 1]];
    const entry = byName.get(name.toLowerCase()) ?? { name, values: [] };
    entry.values.push(value);
    byName.set(name.toLowerCase(), entry);
  }
  for (const { name, values } of byName.values()) {
    const [first = ''] = values;
    request.setHeader(name, values.length === 1 ? first : values);
  }
  request.setHeader('Connection', 'close');
  if (body && !byName.has('content-length')) request.setHeader('Transfer-Encoding', 'chunked');
}
