import { readCursor } from '../protocol/cursor.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import { carriesState, controlEvent, isLastWord } from '../protocol/event.ts';

/**
 * Where a subscriber writes to: a connection, or one URL's place in it.
 */
export interface Sink {
  /** How it carries events, for whoever asks what is going on. */
  readonly transport: string;
  /** A client that is up to date can be sent the difference in place of the whole state. */
  readonly takesPatches: boolean;
  /** A client that has the newest state already is told once that it is current. */
  readonly wantsConfirmation?: boolean;
  /** False while the peer is not keeping up: then nothing may be written. */
  readonly isWritable: boolean;
  /** Write events in order; false when the peer is not keeping up any more. */
  send(events: readonly ChannelEvent[]): boolean;
  /** The channel has said its last word to this subscriber. */
  ended(): void;
}

/** What a subscriber reads from its channel. */
export interface ChannelView {
  /** Which of these ids of states is known here: the first one counts. */
  known(ids: readonly string[]): string | undefined;
  /** Events that bring a subscriber up to date who has this state, which is known here. */
  since(id: string, toldStale: boolean): readonly ChannelEvent[];
  /** The same in as few events as possible: at most one of them carries state. */
  latest(cursor: string | undefined, toldStale: boolean): readonly ChannelEvent[];
}

/**
 * One connection's place in one channel.
 *
 * ```
 * waiting ─ open() ─► live ─ peer too slow ─► blocked ─ flush() ─► live
 *    └──────────────────┴──────── last word, close() ──────┴───► closed
 * ```
 *
 * A slow reader keeps no queue: while it is blocked nothing is written, and when it drains it gets
 * the newest state in place of everything that it missed (conflation).
 */
export class Subscriber {
  readonly #channel: ChannelView;
  readonly #sink: Sink;
  readonly #cursors: readonly { readonly id: string; readonly isStale: boolean }[];
  #state: 'waiting' | 'live' | 'blocked' | 'closed' = 'waiting';
  #cursor: string | undefined;
  #toldStale = false;
  #missedSome = false;
  #isConfirmed = false;

  /** @param cursors - Ids that the client says it has; the first that the log knows counts. */
  constructor(channel: ChannelView, sink: Sink, cursors: readonly string[]) {
    this.#channel = channel;
    this.#sink = sink;
    this.#cursors = cursors.map(readCursor);
  }

  /** How it is told of events. */
  get transport(): string {
    return this.#sink.transport;
  }

  /** True once it was brought up to date, until it is closed. */
  get isOpen(): boolean {
    return this.#state === 'live' || this.#state === 'blocked';
  }

  /** True while events are not written because the peer reads too slowly. */
  get isBlocked(): boolean {
    return this.#state === 'blocked';
  }

  /** The channel's state is known now: bring this subscriber up to date, then keep it live. */
  open(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'live';
    this.#cursor = this.#known();
    // As the cursor that counts says: a browser repeats the URL that it began with, so others are old.
    const counts = this.#cursors.find(({ id }) => id === this.#cursor) ?? this.#cursors[0];
    this.#toldStale = counts?.isStale ?? false;
    const events =
      this.#cursor === undefined
        ? this.#channel.latest(undefined, this.#toldStale)
        : this.#channel.since(this.#cursor, this.#toldStale);
    this.#write(this.#confirmed(events));
  }

  /** A new event of the channel. */
  deliver(event: ChannelEvent): void {
    if (this.#state === 'live') this.#write([event]);
    else if (this.#state === 'blocked') this.#missedSome = true;
  }

  /** Make sure that the newest state has been sent, for a state that was held back until now. */
  refresh(): void {
    this.#cursor ??= this.#known();
    if (this.#state === 'live') this.#write(this.#channel.latest(this.#cursor, this.#toldStale));
    else if (this.#state === 'blocked') this.#missedSome = true;
  }

  /**
   * The peer has read what was written.
   *
   * @returns False when it is too slow again already.
   */
  flush(): boolean {
    if (this.#state !== 'blocked') return true;
    this.#state = 'live';
    if (this.#missedSome) {
      this.#missedSome = false;
      this.#write(this.#confirmed(this.#channel.latest(this.#cursor, this.#toldStale)));
    }
    return !this.isBlocked;
  }

  /** Write nothing more. */
  close(): void {
    this.#state = 'closed';
  }

  /** Of who has been told nothing yet: that there is nothing to tell says that all is well. */
  #confirmed(events: readonly ChannelEvent[]): readonly ChannelEvent[] {
    const isSilent = events.length === 0 && !this.#isConfirmed && !this.#toldStale;
    return isSilent && this.#sink.wantsConfirmation
      ? [controlEvent('fresh', this.#cursor, {})]
      : events;
  }

  #known(): string | undefined {
    return this.#channel.known(this.#cursors.map(({ id }) => id));
  }

  /** The difference, where it leads from the state that the client has. */
  #shorter(event: ChannelEvent): ChannelEvent {
    const { patch } = event;
    return patch && patch.base === this.#cursor ? patch.event : event;
  }

  #write(events: readonly ChannelEvent[]): void {
    if (events.length === 0) return;
    if (!this.#sink.isWritable) {
      this.#state = 'blocked';
      this.#missedSome = true;
      return;
    }
    let told = events;
    let isLast = false;
    for (let index = 0; index < events.length; index++) {
      const event = events[index] as ChannelEvent;
      const shorter = this.#sink.takesPatches ? this.#shorter(event) : event;
      if (shorter !== event) told = told.with(index, shorter);
      if (carriesState(event)) this.#cursor = event.id;
      if (event.type === 'stale') this.#toldStale = true;
      if (event.type === 'fresh') this.#toldStale = false;
      isLast ||= isLastWord(event);
    }
    this.#isConfirmed = true;
    // Set before sending: the peer may drain while it is being written to.
    this.#state = 'blocked';
    if (this.#sink.send(told)) this.#state = 'live';
    if (!isLast) return;
    this.#state = 'closed';
    this.#sink.ended();
  }
}
