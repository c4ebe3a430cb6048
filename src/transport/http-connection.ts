import type { ServerResponse } from 'node:http';
import type { ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { ChannelEvent } from '../protocol/event.ts';
import type { Clock, Timer } from '../shared/clock.ts';
import { truncate } from '../shared/truncate.ts';
import type { Coding, Frame } from './coding.ts';
import { chunk, chunked, chunkedGzip, chunkedStored, raw } from './coding.ts';
import type { Connection, ConnectionHooks } from './connection.ts';
import { EVENT_HEADERS } from './connection.ts';
import type { FramingOptions, StreamFraming } from './framing.ts';
import { GZIP_HEADER, GzipSum } from './gzip.ts';
import type { Unread } from './unread.ts';
import { Backlog } from './unread.ts';

/** How a stream is opened and watched. */
export interface StreamOptions extends ConnectionHooks {
  readonly clock: Clock;
  readonly framing: FramingOptions;
  /** Headers beside those of the framing, for instance CORS. */
  readonly headers: Readonly<Record<string, string>>;
  /** Send a gzip stream; the request must be HTTP/1.1. */
  readonly gzip: boolean;
  /** Longest silence on an open stream. */
  readonly heartbeatMs: number;
  /** A peer that has read not a byte of what waits for it for so long is gone. */
  readonly stallMs: number;
  /** Bytes of text after which the stream ends; `undefined` is without end. */
  readonly maxBytes: number | undefined;
  /** Where what the peer does not take is counted. */
  readonly unread: Unread;
}

/** Where frames go: the connection in HTTP/1, a stream of it in HTTP/2. */
export type Outlet = Socket | ServerHttp2Stream;

/**
 * An open stream to one peer over HTTP.
 *
 * Frames go to the outlet past `ServerResponse`: writing a shared Buffer that already holds the
 * chunk header costs half of what `res.write` does. The response still writes the head and the
 * last chunk, so Node's bookkeeping of the connection stays right.
 */
export class HttpConnection implements Connection {
  readonly #res: ServerResponse;
  readonly #outlet: Outlet;
  readonly #options: StreamOptions;
  readonly #gzipSum: GzipSum | undefined;
  /** Most peers keep up, and need none. */
  #backlog: Backlog | undefined;
  /** For text that may be compressed, and for text that may not. */
  readonly #codings: readonly [Coding, Coding];
  #framing: StreamFraming;
  /** The last event and its URL, where the heartbeat is to repeat it. */
  #last: readonly [ChannelEvent, string] | undefined;
  #timer: Timer | undefined;
  #lastWriteAt: number;
  #textBytes = 0;
  #isBlocked = false;
  #isOpen = true;

  /** @param outlet - Of this answer already: a pipelined one has to wait for its socket. */
  constructor(res: ServerResponse, outlet: Outlet, framing: StreamFraming, options: StreamOptions) {
    this.#res = res;
    this.#outlet = outlet;
    this.#framing = framing;
    this.#options = options;
    this.#gzipSum = options.gzip ? new GzipSum() : undefined;
    // HTTP/1.0 has no chunks, HTTP/2 has frames of its own.
    const plain = res.req.httpVersion === '1.1' ? chunked : raw;
    this.#codings = options.gzip ? [chunkedGzip, chunkedStored] : [plain, plain];
    this.#lastWriteAt = options.clock.now();
    outlet.on('drain', this.#onDrain);
    res.once('close', this.#onClose);
    this.#open();
  }

  get isWritable(): boolean {
    return this.#isOpen && !this.#isBlocked;
  }

  get waitingBytes(): number {
    this.#clearIfTaken();
    return this.#outlet.writableLength;
  }

  get waitedMs(): number {
    return this.#backlog?.waitedMs ?? 0;
  }

  send(events: readonly ChannelEvent[], url: string, mayCompress: boolean): boolean {
    const coding = this.#codings[mayCompress ? 0 : 1];
    for (const event of events) {
      const frame = coding.frameOf(this.#framing, event, url);
      this.#write(frame);
      if (this.#framing.after) this.#framing = this.#framing.after(event);
      // What this transport has no way to say cannot be said again.
      if (this.#framing.heartbeat === undefined && frame.bytes.length > 0)
        this.#last = [event, url];
    }
    const { maxBytes } = this.#options;
    if (maxBytes !== undefined && this.#textBytes >= maxBytes) this.end(0);
    return this.isWritable;
  }

  end(retryMs?: number): void {
    if (!this.#isOpen) return;
    this.#writeText(this.#framing.farewell(retryMs));
    if (this.#gzipSum) this.#outlet.write(chunk(this.#gzipSum.trailer()));
    this.#stop();
    // A peer that reads nothing more must not keep the socket for ever.
    this.#outlet.setTimeout(this.#options.stallMs);
    this.#res.end();
    // Until the peer has taken it, or the socket is given up.
    if (!this.#backlog) return this.#options.onClose();
    this.#res.once('close', () => this.#clear());
    this.#options.onClose();
  }

  cut(): void {
    this.#clear();
    truncate(this.#res);
  }

  #open(): void {
    const { framing, headers, heartbeatMs } = this.#options;
    // Head, prelude and a snapshot that is known already leave in one packet.
    this.#outlet.cork();
    process.nextTick(() => {
      this.#outlet.uncork();
      this.#clearIfTaken();
    });
    const coding = this.#gzipSum ? { 'content-encoding': 'gzip' } : {};
    const own = this.#framing.headers(framing);
    this.#res.writeHead(200, { ...own, ...EVENT_HEADERS, ...coding, ...headers });
    this.#res.flushHeaders();
    if (this.#gzipSum) this.#outlet.write(chunk(GZIP_HEADER));
    this.#writeText(this.#framing.prelude(framing));
    const { secondBeatMs } = this.#framing;
    if (secondBeatMs === undefined) return this.#watch(heartbeatMs);
    this.#timer = this.#options.clock.after(secondBeatMs, () => {
      if (!this.#isBlocked) this.#heartbeat();
      this.#watch(heartbeatMs);
    });
  }

  #writeText(text: string): void {
    this.#write(this.#codings[1].encode(text));
  }

  #write({ bytes, textBytes, piece }: Frame): void {
    if (!this.#isOpen || bytes.length === 0) return;
    this.#lastWriteAt = this.#options.clock.now();
    this.#textBytes += textBytes;
    if (piece) this.#gzipSum?.add(piece);
    this.#clearIfTaken();
    const isTaken = this.#outlet.write(bytes);
    if (this.#outlet.writableLength > 0) {
      this.#backlog ??= new Backlog(this.#options.unread);
      this.#backlog.add(bytes);
    }
    if (isTaken || this.#isBlocked) return;
    this.#isBlocked = true;
    // Node's own timeout counts every byte that the peer takes, and then destroys the socket.
    this.#outlet.setTimeout(this.#options.stallMs);
  }

  /** Of less than what would block it nobody tells when it has left. */
  #clearIfTaken(): void {
    if (this.#backlog && this.#outlet.writableLength === 0) this.#clear();
  }

  /** The peer has taken everything, or never will. */
  #clear(): void {
    this.#backlog?.clear();
    this.#backlog = undefined;
  }

  #watch(delayMs: number): void {
    this.#timer = this.#options.clock.after(delayMs, () => this.#onTimer());
  }

  #onTimer(): void {
    const { clock, heartbeatMs } = this.#options;
    const silentMs = clock.now() - this.#lastWriteAt;
    if (this.#isBlocked) {
      // A heartbeat would only queue behind what is not read.
      this.#watch(heartbeatMs);
    } else if (silentMs >= heartbeatMs) {
      this.#heartbeat();
      this.#watch(heartbeatMs);
    } else {
      // What is left may be so little that no clock could tell the two moments apart.
      this.#watch(Math.max(1, heartbeatMs - silentMs));
    }
  }

  #heartbeat(): void {
    const { heartbeat } = this.#framing;
    if (heartbeat !== undefined) this.#writeText(heartbeat);
    else if (this.#last) this.#write(this.#codings[1].frameOf(this.#framing, ...this.#last));
  }

  readonly #onDrain = (): void => {
    this.#clear();
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#outlet.setTimeout(0);
    this.#options.onDrain();
  };

  readonly #onClose = (): void => {
    this.#clear();
    if (!this.#isOpen) return;
    this.#stop();
    this.#options.onClose();
  };

  #stop(): void {
    this.#isOpen = false;
    this.#timer?.cancel();
    this.#outlet.off('drain', this.#onDrain);
    this.#res.off('close', this.#onClose);
  }
}
