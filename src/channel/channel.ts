import type { ChannelEvent } from '../protocol/event.ts';
import { carriesState, controlEvent, isLastWord } from '../protocol/event.ts';
import type { History, LogLimits } from './log.ts';
import { EventLog } from './log.ts';
import type { ChannelView, Sink } from './subscriber.ts';
import { Subscriber } from './subscriber.ts';

/** What is worth knowing of a poll after it. */
export interface PollNote {
  /** The clock's time when it was sent: the state is at least that new. */
  readonly at: number;
  /** The clock's time when it ended, less the age that the answer had by then. */
  readonly asOf: number;
}

/** All that a channel is at one moment. */
export interface ChannelImage {
  readonly history: History;
  readonly isConfirmed: boolean;
  readonly stale: ChannelEvent | undefined;
  readonly lastWord: ChannelEvent | undefined;
}

/** What goes along with a channel, here or in another process. */
export type Replica = Pick<Channel, 'apply' | 'rest'>;

/** Told by how many bytes the state and the log have grown, or shrunk. */
export type OnSize = (state: number, log: number) => void;

/**
 * The state of one upstream resource on this node, its recent events and its subscribers.
 *
 * State that is kept while nobody polls is not shown to anybody until a poll has confirmed it:
 * the credentials that it was fetched with may have been withdrawn meanwhile.
 */
export class Channel {
  readonly name: string;
  /** The last poll of this node that found the state; kept while the channel rests. */
  lastPoll: PollNote | undefined;
  readonly #log: EventLog;
  readonly #subscribers = new Set<Subscriber>();
  #snapshot: ChannelEvent | undefined;
  #stale: ChannelEvent | undefined;
  #lastWord: ChannelEvent | undefined;
  #isConfirmed = false;
  readonly #watchers = new Set<(event: ChannelEvent) => void>();
  readonly #replicas = new Set<Replica>();
  readonly #onSize: OnSize | undefined;
  #toldState = 0;
  #toldLog = 0;

  constructor(name: string, limits: LogLimits, onSize?: OnSize) {
    this.name = name;
    this.#log = new EventLog(limits);
    this.#onSize = onSize;
  }

  /** The current state, or `undefined` when none is known or it is not confirmed. */
  get snapshot(): ChannelEvent | undefined {
    return this.#isConfirmed ? this.#snapshot : undefined;
  }

  /** The last state that was known, for comparing with. Not for showing to anybody. */
  get retained(): ChannelEvent | undefined {
    return this.#snapshot;
  }

  /** The last that was heard of the upstream is that it fails. */
  get isStale(): boolean {
    return this.#stale !== undefined;
  }

  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  /** Subscribers by how they are told. */
  get subscribersByTransport(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { transport } of this.#subscribers) counts[transport] = (counts[transport] ?? 0) + 1;
    return counts;
  }

  /** Events that are kept for subscribers who come back. */
  get eventsInLog(): number {
    return this.#log.size;
  }

  /** Bytes of state and log held now. */
  get bytes(): number {
    return this.logBytes + this.stateBytes;
  }

  /** Bytes of the log held now. */
  get logBytes(): number {
    return this.#log.bytes;
  }

  /** Somebody is told of how many bytes it holds. */
  get isCounted(): boolean {
    return this.#onSize !== undefined;
  }

  /** Bytes of the state held now. */
  get stateBytes(): number {
    return this.#snapshot?.data.length ?? 0;
  }

  /** Forget the events before the state: who missed some of them gets a snapshot. */
  shortenLog(): void {
    this.#log.shorten();
    this.#tellSize();
  }

  /** Take an event from the backplane and pass it to every subscriber. */
  apply(event: ChannelEvent): void {
    if (this.#lastWord) return;
    if (carriesState(event) && event.id === this.#snapshot?.id) return this.confirm();
    const wasKnown = this.#isKnown;
    if (isLastWord(event)) this.#end(event);
    else if (event.type === 'stale') this.#stale = event;
    else if (event.type === 'fresh') this.#stale = undefined;
    else this.#keep(event);
    this.#tellSize();
    for (const watcher of this.#watchers) watcher(event);
    for (const replica of this.#replicas) replica.apply(event);
    for (const subscriber of [...this.#subscribers]) {
      if (wasKnown || subscriber.isOpen) subscriber.deliver(event);
      else if (this.#isKnown) subscriber.open();
    }
  }

  /** The state that was retained is still the current one: show it to everybody who lacks it. */
  confirm(): void {
    if (this.#isConfirmed || !this.#snapshot) return;
    const wasKnown = this.#isKnown;
    this.#isConfirmed = true;
    // One that has come since it rested may not have it yet.
    for (const replica of this.#replicas) replica.apply(this.#snapshot);
    for (const subscriber of [...this.#subscribers]) {
      if (wasKnown || subscriber.isOpen) subscriber.refresh();
      else subscriber.open();
    }
  }

  /** Nobody polls any more: keep the state for comparing, and show it to nobody. */
  rest(): void {
    this.#isConfirmed = false;
    this.#stale = undefined;
    for (const replica of this.#replicas) replica.rest();
    // A last word stays: peers that were blocked when it was said have yet to hear it.
  }

  /**
   * Add a subscriber. It is brought up to date at once, or as soon as the state is known.
   *
   * @param cursors - Ids that the client says it has; the first that is known counts.
   */
  subscribe(sink: Sink, cursors: readonly string[]): Subscriber {
    const subscriber = new Subscriber(this.#view, sink, cursors);
    this.#subscribers.add(subscriber);
    if (this.#isKnown) subscriber.open();
    return subscriber;
  }

  unsubscribe(subscriber: Subscriber): void {
    subscriber.close();
    this.#subscribers.delete(subscriber);
  }

  /**
   * Be told of each event without being a subscriber: what is seen is shown to nobody.
   *
   * @returns to be called when it is not wanted any more.
   */
  watch(watcher: (event: ChannelEvent) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** All that it is now. */
  get image(): ChannelImage {
    const snapshot = this.#snapshot;
    const { start, events } = this.#log.history;
    // A log may be too small for the state, which is all that counts then.
    const isInLog = snapshot === undefined || events.at(-1) === snapshot;
    return {
      history: isInLog ? { start, events } : { start: undefined, events: [snapshot] },
      isConfirmed: this.#isConfirmed,
      stale: this.#stale,
      lastWord: this.#lastWord,
    };
  }

  /**
   * Let something go along with this channel from now on.
   *
   * @returns to be called when it is not wanted any more.
   */
  replicate(replica: Replica): () => void {
    this.#replicas.add(replica);
    return () => this.#replicas.delete(replica);
  }

  /** Become what another channel is. Subscribers are told what is new to them. */
  adopt({ history, isConfirmed, stale, lastWord }: ChannelImage): void {
    if (this.#lastWord) return;
    if (lastWord) return this.apply(lastWord);
    const had = this.#snapshot?.id;
    const index = history.events.findIndex(({ id }) => id === had);
    const news = index === -1 ? history.events.slice(-1) : history.events.slice(index + 1);
    if (had === undefined) this.restore(history);
    else if (isConfirmed && this.#isConfirmed) for (const event of news) this.apply(event);
    else this.#keepHidden(news);
    if (isConfirmed) this.confirm();
    if (stale && !this.#stale) this.apply(stale);
    // What nobody has confirmed yet may be as old as it was.
    if (isConfirmed && !stale && this.#stale) {
      this.apply(controlEvent('fresh', this.#snapshot?.id, {}));
    }
    this.#tellSize();
  }

  /** Take over what was known elsewhere. It is shown to nobody before a poll has confirmed it. */
  restore(history: History): void {
    this.#log.restore(history);
    this.#snapshot = history.events.at(-1);
    this.#tellSize();
  }

  #keepHidden(events: readonly ChannelEvent[]): void {
    for (const event of events) this.#keep(event);
    this.#isConfirmed = false;
  }

  get #isKnown(): boolean {
    return this.#isConfirmed || this.#stale !== undefined || this.#lastWord !== undefined;
  }

  #keep(event: ChannelEvent): void {
    this.#snapshot = event;
    this.#isConfirmed = true;
    this.#log.append(event);
  }

  #tellSize(): void {
    const { stateBytes, logBytes } = this;
    const state = stateBytes - this.#toldState;
    const log = logBytes - this.#toldLog;
    if (state === 0 && log === 0) return;
    this.#toldState = stateBytes;
    this.#toldLog = logBytes;
    this.#onSize?.(state, log);
  }

  /** SECURITY: after its last word a channel holds nothing that could still be shown. */
  #end(event: ChannelEvent): void {
    this.#lastWord = event;
    this.#snapshot = undefined;
    this.#stale = undefined;
    this.#isConfirmed = false;
    this.#log.clear();
  }

  readonly #view: ChannelView = {
    known: (ids) => (this.#isConfirmed ? ids.find((id) => this.#log.after(id)) : undefined),
    since: (id, toldStale) => {
      const missed = this.#log.after(id) ?? [];
      return [...missed, ...this.#view.latest(this.#snapshot?.id, toldStale)];
    },
    latest: (cursor, toldStale) => {
      if (this.#lastWord) return [this.#lastWord];
      const events: ChannelEvent[] = [];
      const snapshot = this.snapshot;
      if (snapshot && snapshot.id !== cursor) events.push(snapshot);
      if (this.#stale && !toldStale) events.push(this.#stale);
      if (!this.#stale && toldStale) events.push(controlEvent('fresh', snapshot?.id, {}));
      return events;
    },
  };
}
