import type { ClientRequest, IncomingMessage } from 'node:http';
import { PassThrough, pipeline, Readable } from 'node:stream';
import httpProxy from 'http-proxy';
import type { Clock } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { UpstreamTls } from '../shared/upstream.ts';
import { MAX_HEADER_BYTES } from '../shared/upstream.ts';
import type { AnswerHandler, Engine, Flow, Outgoing } from './exchange.ts';
import { isBodiless } from './exchange.ts';
import { expectsContinue } from './request-body.ts';

/** How one upstream is spoken to. */
export interface NodeEngineOptions {
  readonly url: URL;
  readonly tls: UpstreamTls;
  readonly connectTimeoutMs: number;
  /** Longest wait for the head of the answer; 0 is for ever. */
  readonly responseTimeoutMs: number;
  readonly clock: Clock;
  /** Read broken HTTP. */
  readonly isTolerant: boolean;
  /** For upgrades: tunnels need an exact handshake. */
  readonly upgrades: Engine;
}

/**
 * The engine over `http-proxy` (the maintained fork of that name) and Node's own client. Slower than
 * the strict one, but it can do two things more: read broken HTTP (bare line feeds, folded headers,
 * control characters, an unasked 100 Continue), and let the head of a request go ahead of its body.
 *
 * SECURITY: what the tolerant parser reads may be ambiguous, so no connection carries a second
 * exchange: there is no next answer that could be confused. The library is a mere engine here; what
 * leaves toward either side is written by us.
 */
export function createNodeEngine(options: NodeEngineOptions): Engine {
  const exchanges = new WeakMap<IncomingMessage, NodeExchange>();
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
    reusesConnections: false,
    exchange(outgoing, handler) {
      if (outgoing.isUpgrade) return options.upgrades.exchange(outgoing, handler);
      const exchange = new NodeExchange(outgoing, handler, options);
      const { req, res } = outgoing;
      exchanges.set(req, exchange);
      // The library would wait for a 100 where it sees Expect.
      delete req.headers.expect;
      // What the library takes for TLS options are the options of the whole request.
      const ssl = {
        insecureHTTPParser: options.isTolerant,
        maxHeaderSize: MAX_HEADER_BYTES,
        servername: options.tls.serverName,
      };
      proxy.web(req, res, { buffer: exchange.body, ssl }, (error: Error) =>
        exchange.onError(error),
      );
      return exchange;
    },
    async close() {}, // a connection ends with its exchange
  };
}

/** How long an upstream is waited for that may have something against a body (RFC 9110 §10.1.1). */
const CONTINUE_MS = 1_000;

class NodeExchange implements Flow {
  readonly #outgoing: Outgoing;
  readonly #handler: AnswerHandler;
  readonly #options: NodeEngineOptions;
  #request: ClientRequest | undefined;
  #answer: IncomingMessage | undefined;
  #reason: Error | undefined;
  #isOver = false;
  /** What the library sends: the client is not read before there is a connection. */
  readonly body = new PassThrough();

  constructor(outgoing: Outgoing, handler: AnswerHandler, options: NodeEngineOptions) {
    this.#outgoing = outgoing;
    this.#handler = handler;
    this.#options = options;
    if (!outgoing.body) this.body.end();
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
    this.body.destroy();
    this.#handler.onError(this.#reason ?? error);
  }

  onRequest(request: ClientRequest): void {
    this.#request = request;
    if (this.#reason) {
      request.destroy(this.#reason);
      return;
    }
    // The library would take another path, from the request, and drop an empty query from it.
    request.path = this.#outgoing.path;
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
      this.#sendBody(request);
      if (responseTimeoutMs === 0) return;
      // Nobody answers what is not sent yet.
      if (request.writableFinished) wait();
      else request.once('finish', wait);
    };
    const wait = () => {
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
    request.once('upgrade', (_answer, upstream) => {
      upstream.on('error', () => undefined).destroy();
      this.abort(new ProxyError('UPSTREAM_INVALID', 'an unasked 101'));
    });
  }

  #sendBody(request: ClientRequest): void {
    const { body, req } = this.#outgoing;
    if (!body) return;
    // The head goes first, whenever the client sends what follows. flushHeaders() would turn latin1
    // bytes into UTF-8.
    request.write(Buffer.alloc(0));
    let hasBegun = false;
    const begin = () => {
      if (hasBegun || this.#isOver || this.#answer) return;
      hasBegun = true;
      pipeline(Readable.from(body.content()), this.body, (error) => {
        if (error && !this.#isOver) this.abort(error);
      });
    };
    if (!expectsContinue(req)) return begin();
    request.once('continue', begin);
    const patience = this.#options.clock.after(CONTINUE_MS, begin);
    request.once('close', () => patience.cancel());
  }

  onAnswer(answer: IncomingMessage): void {
    this.#answer = answer;
    const { statusCode: status = 0, statusMessage } = answer;
    const headers = answer.rawHeaders.map(withoutControls);
    if (status < 200) return this.abort(new ProxyError('UPSTREAM_INVALID', `the status ${status}`));
    const reason = /^[\t\x20-\x7e]+$/.test(statusMessage ?? '') ? statusMessage : undefined;
    answer.on('error', (error) => this.onError(error));
    try {
      this.#handler.onHead({ status, reason, headers });
    } catch (error) {
      this.abort(error as Error);
      return;
    }
    if (isBodiless(this.#outgoing.method, status)) {
      // Whatever follows is not looked at: the connection ends here.
      this.#end([]);
      this.#request?.destroy();
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
      this.#end(answer.rawTrailers);
    });
  }

  #end(trailers: RawHeaders): void {
    this.#isOver = true;
    // Nobody takes the rest of it; whoever reads the request is to know.
    this.body.destroy();
    this.#handler.onEnd(trailers);
  }
}

/** SECURITY: what no header may hold becomes a space (RFC 9110 §5.5). */
function withoutControls(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]+/g, ' ');
}

/** Node's client takes duplicates as a list under the name in its first spelling. */
function replaceHeaders(request: ClientRequest, { headers, body, req }: Outgoing): void {
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
  if (body && expectsContinue(req)) request.setHeader('Expect', '100-continue');
  if (body && !byName.has('content-length')) request.setHeader('Transfer-Encoding', 'chunked');
}
