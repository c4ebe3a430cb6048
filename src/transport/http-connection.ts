import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ChannelEvent } from '../protocol/event.ts';
import type { Clock, Timer } from '../shared/clock.ts';
import type { Coding } from './frames.ts';
import { encode, frameOf } from './frames.ts';
import type { Framing, PreludeOptions } from './framing.ts';

/** How a connection is opened and watched. */
export interface ConnectionOptions {
  readonly clock: Clock;
  readonly prelude: PreludeOptions;
  /** Headers beside those of the framing, for instance CORS. */
  readonly headers: Readonly<Record<string, string>>;
  /** Longest silence on an open stream. */
  readonly heartbeatMs: number;
  /** A peer that has read not a byte of what waits for it for so long is gone. */
  readonly stallMs: number;
  /** The peer has read what was written after `send` gave false. */
  readonly onDrain: () => void;
  /** The connection is over, whoever ended it. Called once. */
  readonly onClose: () => void;
}

/** Headers of every stream: not stored, not transformed, not buffered, not sniffed. */
const STREAM_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store, no-transform',
  'x-content-type-options': 'nosniff',
  'x-accel-buffering': 'no', // nginx
  incremental: '?1', // RFC 10036
};

/**
 * An open stream to one peer over HTTP/1.
 *
 * Frames go to the socket past `ServerResponse`: writing a shared Buffer that already holds the
 * chunk header costs half of what `res.write` does. The response still writes the head and the
 * last chunk, so Node's bookkeeping of the connection stays right.
 */
export class HttpConnection {
  readonly #res: ServerResponse;
  readonly #socket: Socket;
  readonly #framing: Framing;
  readonly #coding: Coding;
  readonly #options: ConnectionOptions;
  #timer: Timer | undefined;
  #lastWriteAt: number;
  #isBlocked = false;
  #isOpen = true;

  /** @param res - Must have its socket already: a pipelined answer has to wait for it. */
  constructor(res: ServerResponse, socket: Socket, framing: Framing, options: ConnectionOptions) {
    this.#res = res;
    this.#socket = socket;
    this.#framing = framing;
    this.#options = options;
    this.#coding = res.req.httpVersion === '1.1' ? 'chunked' : 'raw';
    this.#lastWriteAt = options.clock.now();
    socket.on('drain', this.#onDrain);
    res.once('close', this.#onClose);
    this.#open();
  }

  /** True while the peer keeps up. */
  get isWritable(): boolean {
    return this.#isOpen && !this.#isBlocked;
  }

  /** Write events of the endpoint with this URL; false when the peer does not keep up. */
  send(events: readonly ChannelEvent[], url: string): boolean {
    for (const event of events) this.#write(frameOf(this.#framing, this.#coding, event, url));
    return this.isWritable;
  }

  /** End the answer; with `retryMs` the peer is asked to come back after that time. */
  end(retryMs?: number): void {
    if (!this.#isOpen) return;
    if (retryMs !== undefined) this.#write(encode(this.#coding, this.#framing.farewell(retryMs)));
    this.#stop();
    // A peer that reads nothing more must not keep the socket for ever.
    this.#socket.setTimeout(this.#options.stallMs);
    this.#res.end();
    this.#options.onClose();
  }

  #open(): void {
    const { prelude, headers } = this.#options;
    // Head, prelude and a snapshot that is known already leave in one packet.
    this.#socket.cork();
    process.nextTick(() => this.#socket.uncork());
    this.#res.writeHead(200, { ...this.#framing.headers, ...STREAM_HEADERS, ...headers });
    this.#res.flushHeaders();
    this.#write(encode(this.#coding, this.#framing.prelude(prelude)));
    this.#watch(this.#options.heartbeatMs);
  }

  #write(frame: Buffer): void {
    if (!this.#isOpen) return;
    this.#lastWriteAt = this.#options.clock.now();
    if (this.#socket.write(frame) || this.#isBlocked) return;
    this.#isBlocked = true;
    // Node's own timeout counts every byte that the peer takes, and then destroys the socket.
    this.#socket.setTimeout(this.#options.stallMs);
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
      this.#write(encode(this.#coding, this.#framing.heartbeat));
      this.#watch(heartbeatMs);
    } else {
      this.#watch(heartbeatMs - silentMs);
    }
  }

  readonly #onDrain = (): void => {
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#socket.setTimeout(0);
    this.#options.onDrain();
  };

  readonly #onClose = (): void => {
    if (!this.#isOpen) return;
    this.#stop();
    this.#options.onClose();
  };

  #stop(): void {
    this.#isOpen = false;
    this.#timer?.cancel();
    this.#socket.off('drain', this.#onDrain);
    this.#res.off('close', this.#onClose);
  }
}
