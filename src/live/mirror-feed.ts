import type { Channel, ChannelImage } from '../channel/channel.ts';
import type { Ended } from '../poll/detect.ts';
import { staleId } from '../protocol/cursor.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import { carriesState, controlEvent, isLastWord } from '../protocol/event.ts';
import type { Clock, Timer } from '../shared/clock.ts';
import { deferred } from '../shared/deferred.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { Demand } from './demand.ts';
import { lastWord } from './feed-words.ts';
import type { LiveFeed } from './live-feed.ts';

/** What a mirror says to the hub. */
export interface MirrorLine {
  /** Begin to show it. @param known - The last state that is known here. */
  open(known: ChannelEvent | undefined): void;
  close(): void;
  join(): void;
  leave(): void;
  /** Ask for the state; `undefined` when it cannot be had. */
  refresh(): Promise<Refreshed | undefined>;
}

/** What the hub says of a state. */
export interface Refreshed {
  readonly id: string;
  /** Since it was known to be so. */
  readonly ageMs: number | undefined;
  /** The state, if it is not that of the channel. */
  readonly state: ChannelEvent | undefined;
}

/** What the mirror of a feed is made of. */
export interface MirrorFeedOptions {
  readonly channel: Channel;
  readonly line: MirrorLine;
  /** For how long it goes on after the last stream. */
  readonly lingerMs: number;
  /** While plain requests wait, the end is put off by this. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly label: LiveFeed['label'];
  /** The channel has said its last word. */
  readonly onLastWord: (word: ChannelEvent) => void;
  readonly onClose: () => void;
}

/** How soon the hub is asked again for what it had no room for. */
const RETRY_MS = 5_000;

/**
 * What another process polls, for those who show it here: its channel goes along with that one's.
 *
 * ```
 * open ─ hub lost ─► alone ─ hub back ─► open
 * open ─ last stream left ─► lingering ─► closed
 * open ─ last word, end() ─► closed
 * ```
 */
export class MirrorFeed implements LiveFeed {
  readonly #options: MirrorFeedOptions;
  readonly #demand: Demand;
  #retry: Timer | undefined;
  #isClosed = false;
  /** Clients were told that nobody polls, and not that somebody does again. */
  #isLost = false;
  readonly #settled = deferred();
  readonly #closed = deferred();
  readonly settled = this.#settled.promise;
  readonly closed = this.#closed.promise;

  constructor(options: MirrorFeedOptions) {
    this.#options = options;
    const { clock, lingerMs, patienceMs } = options;
    this.#demand = new Demand({ clock, lingerMs, patienceMs, onEnd: () => this.close() });
    options.line.open(undefined);
  }

  get channel(): Channel {
    return this.#options.channel;
  }

  get source(): Channel {
    return this.#options.channel;
  }

  get label(): LiveFeed['label'] {
    return this.#options.label;
  }

  get streamCount(): number {
    return this.#demand.streams;
  }

  get hasEnded(): boolean {
    return this.#isClosed;
  }

  join(): void {
    this.#demand.join();
    if (this.#demand.streams === 1) this.#options.line.join();
  }

  leave(): void {
    this.#demand.leave();
    if (this.#demand.streams === 0) this.#options.line.leave();
  }

  async refresh(): Promise<ChannelEvent | undefined> {
    const { line, clock, patienceMs, lingerMs } = this.#options;
    try {
      return await this.#demand.during(async () => {
        const told = await line.refresh();
        const state = told?.state ?? this.channel.snapshot;
        if (this.#isClosed || !told || state?.id !== told.id) return undefined;
        const now = clock.now();
        if (told.ageMs !== undefined) this.channel.lastPoll = { at: now, asOf: now - told.ageMs };
        return state;
      });
    } finally {
      if (this.#demand.streams === 0) this.#demand.linger(Math.max(lingerMs, patienceMs));
    }
  }

  end(outcome: Ended): void {
    this.apply(lastWord(outcome));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#demand.close();
    this.#retry?.cancel();
    this.#settled.resolve();
    this.#options.line.close();
    this.#options.onClose();
    this.#closed.resolve();
  }

  /** The hub says what its channel is like. */
  adopt(image: ChannelImage): void {
    if (this.#isClosed) return;
    if (image.lastWord) return this.apply(image.lastWord);
    this.channel.adopt(image);
    // Nobody knows yet whether it is as stale as it was: whoever polls now has not said so.
    this.#isLost = this.channel.isStale && !image.stale;
  }

  /** The hub's channel has got an event. */
  apply(event: ChannelEvent): void {
    if (this.#isClosed) return;
    const { channel } = this;
    const wasLost = this.#isLost;
    this.#isLost = false;
    // Clients know it already.
    if (event.type === 'stale' && channel.isStale) return;
    channel.apply(event);
    if (wasLost && carriesState(event)) channel.apply(controlEvent('fresh', event.id, {}));
    if (!isLastWord(event)) return;
    this.#options.onLastWord(event);
    this.close();
  }

  rest(): void {
    this.channel.rest();
  }

  /** The first poll has ended. */
  onSettled(): void {
    this.#settled.resolve();
  }

  /** The hub shows it no more. */
  onClosed(): void {
    // Somebody has come before it could be known here.
    if (this.#demand.streams > 0) this.reopen();
    else this.close();
  }

  /** The hub has no room for it. */
  onRefused(code: ErrorCode): void {
    if (this.#isClosed) return;
    this.#tellStale(code);
    if (this.#demand.streams === 0) return this.close();
    this.#retry?.cancel();
    this.#retry = this.#options.clock.after(RETRY_MS, () => this.reopen());
  }

  /** There is no hub, and has been none for a while. */
  onLost(): void {
    this.#tellStale('NOT_POLLED');
  }

  /** Nobody can say how the state is. */
  #tellStale(code: ErrorCode): void {
    const { channel } = this;
    if (!this.#isClosed && !channel.isStale) {
      this.#isLost = true;
      channel.apply(controlEvent('stale', staleId(channel.snapshot?.id), { code }));
    }
    this.#settled.resolve();
  }

  /** Begin anew: the hub knows nothing of it. */
  reopen(): void {
    if (this.#isClosed) return;
    this.#retry?.cancel();
    const { line, channel } = this.#options;
    line.open(channel.retained);
    if (this.#demand.streams > 0) line.join();
  }
}
