import type { ServerResponse } from 'node:http';
import type { Duplex, Transform, Writable } from 'node:stream';
import type { Clock } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { hasKnownCoding, headerValue, headerValues } from '../shared/raw-headers.ts';
import { limitSending, releaseSending } from '../shared/sending.ts';
import { truncate } from '../shared/truncate.ts';
import { upstreamError } from '../shared/upstream.ts';
import type { AnswerHandler, Flow, Head } from './exchange.ts';
import { isBodiless } from './exchange.ts';
import { forwardedTrailers, responseHeaders } from './headers.ts';
import type { Rewriting } from './rewriting.ts';
import { mapHeaders } from './rewriting.ts';
import { isStream, Silence } from './silence.ts';

/** How an answer is passed on. */
export interface RelayOptions {
  readonly method: string;
  readonly rewriting: Rewriting | undefined;
  /** Headers of ours beside the upstream's, for instance a cookie. */
  readonly extraHeaders: RawHeaders;
  readonly clock: Clock;
  /** Longest silence within a body that is no stream; 0 is for ever. */
  readonly bodyTimeoutMs: number;
  /** Longest time for which the client may read nothing. */
  readonly sendTimeoutMs: number;
}

/** What is told of an answer that is passed on. */
export interface RelayHooks {
  /**
   * The head of the final answer is here, and nothing of it has been passed on.
   *
   * @returns headers to add.
   */
  onAnswer(status: number, headers: RawHeaders): RawHeaders;
  /** There is no answer to pass on. The last word, as `onUpgrade` and the end of the answer are. */
  onFailure(failure: ProxyError): void;
  /** The answer was cut after its head had left. */
  onCut(failure: ProxyError): void;
  /** The upstream has agreed to an upgrade: its connection. May throw a `ProxyError`. */
  onUpgrade(headers: RawHeaders, upstream: Duplex): void;
}

const withoutLength = (headers: RawHeaders) =>
  mapHeaders(headers, (name, value) => (name === 'content-length' ? undefined : value));

const NOTHING = Buffer.alloc(0);

/**
 * Passes one answer on to the client while it arrives: nothing is buffered, and nothing is changed
 * but what belongs to the connection and what `rewriting` says.
 *
 * Once the head has left a failure of the upstream is one for the client too: what is truncated here
 * is truncated there.
 */
export class Relay implements AnswerHandler {
  readonly #res: ServerResponse;
  readonly #options: RelayOptions;
  readonly #hooks: RelayHooks;
  #flow: Flow | undefined;
  /** Where the body goes: the response, or what it has to go through before. */
  #sink: Writable;
  #isOver = false;
  /** The first chunk, while it may be all there is. */
  #held: Buffer | undefined;
  #mayHold = false;
  #hasBody = false;
  #sendsTrailers = false;
  #isCut = false;
  #silence: Silence | undefined;

  constructor(res: ServerResponse, options: RelayOptions, hooks: RelayHooks) {
    this.#res = res;
    this.#sink = res;
    this.#options = options;
    this.#hooks = hooks;
    res.on('close', this.#onClientGone);
  }

  /** Watch this flow from now on. */
  attach(flow: Flow): void {
    this.#flow = flow;
    if (!this.#res.destroyed) return;
    this.#onClientGone();
    flow.abort(new ProxyError('UPSTREAM_RESET', 'the client left'));
  }

  onHead(head: Head): void {
    const { status, headers: raw } = head;
    // A 100 is ours to give, and old HTTP/1.1 clients trip over the others.
    if (status < 200 && status >= 100) return this.#onInformation(head);
    if (status < 200 || status > 999) {
      throw new ProxyError('UPSTREAM_INVALID', `the status ${status}`);
    }
    if (!hasKnownCoding(raw)) {
      throw new ProxyError('UPSTREAM_INVALID', 'an unknown transfer coding');
    }
    const added = this.#hooks.onAnswer(status, raw);
    if (this.#res.destroyed) return;
    const { method, rewriting, extraHeaders } = this.#options;
    const isChunked = headerValue(raw, 'transfer-encoding') !== undefined;
    // SECURITY: chunks win over a length, which must not go on beside them (RFC 9112 §6.3).
    const all = responseHeaders(raw);
    const own = isChunked ? withoutLength(all) : all;
    const plain = added.length === 0 ? own : [...own, ...added];
    const { headers, body } = rewriting?.response({
      method,
      status,
      headers: plain,
      isStream: isStream(raw),
    }) ?? { headers: plain, body: [] };
    const hasNoBody = isBodiless(method, status);
    if (extraHeaders.length > 0) headers.push(...extraHeaders);
    this.#writeHead(head, headers, isChunked && !hasNoBody);
    if (hasNoBody) return;
    if (body.length > 0) this.#goThrough(body);
    this.#mayHold = true;
    process.nextTick(this.#afterHead, this, raw);
  }

  /** What came in one piece with the head has been told of by now: send it, and watch the rest. */
  // Without `this`, so that no closure is made for each answer.
  #afterHead(relay: Relay, raw: RawHeaders): void {
    relay.#mayHold = false;
    if (relay.#isOver) return;
    // The head alone too: flushHeaders() would turn its latin1 bytes into UTF-8.
    if (!relay.#sendHeld() && !relay.#hasBody) relay.#res.write(NOTHING);
    relay.#watchSilence(raw);
  }

  onData(chunk: Buffer): boolean {
    this.#silence?.heard();
    this.#hasBody = true;
    if (this.#mayHold) {
      this.#mayHold = false;
      this.#held = chunk;
      return true;
    }
    this.#sendHeld();
    if (this.#sink.write(chunk)) return true;
    this.#silence?.pause();
    limitSending(this.#res, this.#options.sendTimeoutMs);
    this.#sink.once('drain', this.#onDrain);
    return false;
  }

  #sendHeld(): boolean {
    if (!this.#held) return false;
    this.#sink.write(this.#held);
    this.#held = undefined;
    return true;
  }

  onEnd(trailers: RawHeaders): void {
    if (this.#isOver) return;
    // Unsaid, the status would be 200.
    if (!this.#res.headersSent) return this.onError(new ProxyError('UPSTREAM_INVALID', 'no head'));
    if (this.#sendsTrailers && trailers.length > 0) {
      this.#res.addTrailers(forwardedTrailers(trailers));
    }
    this.#finish();
    if (this.#held) this.#sink.end(this.#held);
    else this.#sink.end();
    if (this.#sink !== this.#res || this.#res.writableLength > 0)
      limitSending(this.#res, this.#options.sendTimeoutMs);
  }

  onUpgrade(headers: RawHeaders, upstream: Duplex): void {
    try {
      this.#hooks.onUpgrade(headers, upstream);
      this.#finish();
    } catch (error) {
      upstream.on('error', () => undefined).destroy();
      this.#finish(upstreamError(error));
    }
  }

  onError(error: unknown): void {
    if (this.#isOver) return;
    const hasBegun = this.#res.headersSent;
    const isWanted = !this.#res.destroyed && !hasBegun;
    this.#finish(isWanted ? upstreamError(error) : undefined);
    if (hasBegun) this.#cut(error);
  }

  #writeHead({ status, reason, headers: raw }: Head, headers: string[], isChunked: boolean): void {
    const res = this.#res;
    const isHttp2 = res.req.httpVersionMajor >= 2;
    // Trailers need a place to stand in, and somebody who expects them (RFC 9110 §6.5.1).
    const announced = headerValue(raw, 'trailer');
    const asked = /\btrailers\b/i.test(headerValue(res.req.rawHeaders, 'te') ?? '');
    const canTrail = isHttp2 || res.req.httpVersion === '1.1';
    this.#sendsTrailers = isChunked && canTrail && (asked || announced !== undefined);
    if (this.#sendsTrailers && announced !== undefined && !isHttp2) {
      headers.push('Trailer', announced);
    }
    res.sendDate = headerValue(headers, 'date') === undefined;
    if (reason === undefined || isHttp2) res.writeHead(status, headers);
    else res.writeHead(status, reason, headers);
  }

  #onInformation({ status, headers }: Head): void {
    const res = this.#res;
    if (status !== 103 || res.req.httpVersionMajor < 2 || res.headersSent) return;
    const { method, rewriting } = this.#options;
    const mapped = rewriting?.response({ method, status, headers }).headers ?? headers;
    const link = headerValues(mapped, 'link');
    try {
      if (link.length > 0) res.writeEarlyHints({ link });
    } catch {
      // Node is strict about links; a hint is not worth the answer.
    }
  }

  #goThrough(body: readonly Transform[]): void {
    const [first] = body;
    if (!first) return;
    this.#sink = first;
    this.#sendsTrailers = false;
    // Not by pipeline(), which would end the response before it can be seen to be cut.
    const fail = (error: Error) => {
      if (this.#isCut) return;
      this.#flow?.abort(error);
      this.#cut(error);
    };
    for (const [i, step] of body.entries()) {
      step.on('error', fail);
      step.pipe(body[i + 1] ?? this.#res);
    }
    this.#res.once('close', () => {
      for (const step of body) step.destroy();
    });
  }

  #watchSilence(raw: RawHeaders): void {
    const { bodyTimeoutMs, clock } = this.#options;
    if (bodyTimeoutMs === 0 || isStream(raw)) return;
    this.#silence = new Silence(clock, bodyTimeoutMs, () =>
      this.#flow?.abort(new ProxyError('UPSTREAM_TIMEOUT', 'silent within its answer')),
    );
  }

  readonly #onDrain = (): void => {
    if (this.#isOver) return;
    releaseSending(this.#res);
    this.#silence?.resume();
    this.#flow?.resume();
  };

  readonly #onClientGone = (): void => {
    if (this.#isOver) return;
    this.#finish();
    this.#flow?.abort(new ProxyError('UPSTREAM_RESET', 'the client left'));
  };

  #finish(error?: ProxyError): void {
    this.#isOver = true;
    this.#silence?.stop();
    this.#res.off('close', this.#onClientGone);
    if (error) this.#hooks.onFailure(error);
  }

  #cut(error: unknown): void {
    if (this.#isCut) return;
    this.#isCut = true;
    if (!this.#res.destroyed) this.#hooks.onCut(upstreamError(error));
    if (this.#sink !== this.#res) this.#sink.destroy();
    truncate(this.#res);
  }
}
