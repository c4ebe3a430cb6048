import type { ServerResponse } from 'node:http';
import type { ChannelEvent } from '../protocol/event.ts';
import type { Clock, Timer } from '../shared/clock.ts';
import { limitSending } from '../shared/sending.ts';
import { truncate } from '../shared/truncate.ts';
import { raw } from './coding.ts';
import type { Connection, ConnectionHooks } from './connection.ts';
import { EVENT_HEADERS } from './connection.ts';
import type { FramingOptions, ReplyFraming } from './framing.ts';
import type { Unread } from './unread.ts';
import { Backlog } from './unread.ts';

/** How a long poll is held. */
export interface ReplyOptions extends ConnectionHooks {
  readonly clock: Clock;
  readonly framing: FramingOptions;
  /** Headers beside those of the framing, for instance CORS. */
  readonly headers: Readonly<Record<string, string>>;
  /** Longest wait for an event, from the moment when `ready` is resolved. */
  readonly waitMs: number;
  /** A peer that has read not a byte of its answer for so long is gone. */
  readonly stallMs: number;
  /** Where what the peer does not take is counted. */
  readonly unread: Unread;
  /** Resolved when the state is known, or will not be soon. Never rejects. */
  readonly ready: Promise<unknown>;
}

/**
 * A long poll: one answer with everything that is there at the first event, or with nothing when
 * the time is over.
 */
export class Reply implements Connection {
  readonly #res: ServerResponse;
  readonly #framing: ReplyFraming;
  readonly #options: ReplyOptions;
  readonly #frames: Buffer[] = [];
  readonly #backlog: Backlog;
  #timer: Timer | undefined;
  #isOpen = true;

  constructor(res: ServerResponse, framing: ReplyFraming, options: ReplyOptions) {
    this.#res = res;
    this.#framing = framing;
    this.#options = options;
    this.#backlog = new Backlog(options.unread);
    res.once('close', this.#onClose);
    void options.ready.then(() => {
      if (this.#isOpen) this.#timer = options.clock.after(options.waitMs, () => this.end());
    });
  }

  get isWritable(): boolean {
    return this.#isOpen;
  }

  get waitingBytes(): number {
    return this.#res.writableLength;
  }

  get waitedMs(): number {
    return this.#backlog.waitedMs;
  }

  send(events: readonly ChannelEvent[], url: string): boolean {
    // What happens in the same turn, for this URL or another one, belongs to the same batch.
    if (this.#frames.length === 0) setImmediate(() => this.end());
    for (const event of events) {
      const { bytes } = raw.frameOf(this.#framing, event, url);
      if (bytes.length > 0) this.#frames.push(bytes);
    }
    return this.#isOpen;
  }

  end(retryMs?: number): void {
    if (!this.#isOpen) return;
    this.#stop();
    const { framing, headers, stallMs } = this.#options;
    if (retryMs !== undefined) this.#frames.push(this.#framing.farewell(retryMs));
    const body = this.#framing.body(this.#frames, framing);
    const length = { 'content-length': String(body.length) };
    const own = this.#framing.headers(framing);
    limitSending(this.#res, stallMs);
    this.#res.writeHead(200, { ...own, ...EVENT_HEADERS, ...length, ...headers }).end(body);
    if (this.#res.writableLength > 0) this.#backlog.add(body);
  }

  cut(): void {
    this.#backlog.clear();
    truncate(this.#res);
  }

  /** SECURITY: not before the answer is read: until then its body, which nobody shares, is ours. */
  readonly #onClose = (): void => {
    this.#stop();
    this.#backlog.clear();
    this.#options.onClose();
  };

  #stop(): void {
    this.#isOpen = false;
    this.#timer?.cancel();
  }
}
