import type { Channels } from '../channel/channels.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Unread } from '../transport/unread.ts';
import type { LimitLog } from './limit-log.ts';
import type { Streams } from './streams.ts';

/** What memory is used for, and how much there may be. */
export interface BufferedOptions {
  readonly maxBytes: number;
  readonly channels: Channels;
  readonly unread: Unread;
  readonly streams: Pick<Streams, 'cutSlowest' | 'recount'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limitLog: LimitLog;
}

/** States may take so much; the rest is left for what is on its way to readers. */
const SHARE_OF_STATES = 0.9;
/** Whether readers have taken what waited for them is looked up no more often than this. */
const RECOUNT_MS = 1_000;

/**
 * Bounds the bytes of states, logs and unread events. What is beyond is given up in this order: states
 * of channels at rest, logs (a client that comes back gets a snapshot), and the connections of those
 * readers for whom most has waited for longest. New streams, channels and larger states are refused before.
 *
 * SECURITY: a client decides how slowly it reads, and, by its queries, how many states there are.
 */
export class Buffered {
  readonly #options: BufferedOptions;
  #isPlanned = false;
  #recountedAt = Number.NEGATIVE_INFINITY;

  constructor(options: BufferedOptions) {
    this.#options = options;
  }

  /** There is no room for new streams and channels, even if all was given up that can be. */
  get isFull(): boolean {
    const { maxBytes, clock, streams, limitLog } = this.#options;
    const isFull = () => this.#firmBytes > maxBytes * SHARE_OF_STATES;
    if (!isFull()) return false;
    if (clock.now() - this.#recountedAt >= RECOUNT_MS) {
      this.#recountedAt = clock.now();
      streams.recount();
    }
    if (!isFull()) return false;
    limitLog.onReached('bufferedBytes');
    return true;
  }

  /** May states take so many bytes more? */
  hasRoomFor(bytes: number): boolean {
    const { maxBytes, channels, limitLog } = this.#options;
    if (bytes <= 0 || channels.stateBytes + bytes <= maxBytes * SHARE_OF_STATES) return true;
    limitLog.onReached('bufferedBytes');
    return false;
  }

  /** There is more than before. It is looked after when what is just going on has ended. */
  onGrowth(): void {
    if (this.#isPlanned || this.#bytes <= this.#options.maxBytes) return;
    this.#isPlanned = true;
    queueMicrotask(() => {
      this.#isPlanned = false;
      this.#relieve();
    });
  }

  get #firmBytes(): number {
    const { channels, unread } = this.#options;
    return channels.stateBytes + unread.bytes;
  }

  get #bytes(): number {
    const { channels } = this.#options;
    return this.#firmBytes + channels.logBytes + channels.restingBytes;
  }

  #relieve(): void {
    const { maxBytes, channels, streams, log, limitLog } = this.#options;
    if (this.#bytes <= maxBytes) return;
    // Not just below: the next event would be one too many again.
    const target = Math.max(maxBytes * SHARE_OF_STATES, (channels.stateBytes + maxBytes) / 2);
    const isEnough = () => this.#bytes <= target;
    channels.dropResting(isEnough);
    channels.dropLogs(isEnough);
    if (this.#bytes <= maxBytes) return;
    const cut = streams.cutSlowest(isEnough);
    if (cut === 0) return;
    limitLog.onReached('bufferedBytes');
    log.debug({ streams: cut }, 'cut: too much waited to be read');
  }
}
