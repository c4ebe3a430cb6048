import type { Sink, Subscriber } from '../channel/subscriber.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import { carriesState, controlEvent, isLastWord } from '../protocol/event.ts';
import { eventText } from '../shared/event-text.ts';
import type { Connection, ConnectionHooks } from '../transport/connection.ts';
import type { LiveFeed } from './live-feed.ts';

/** One URL in a stream. */
export interface Subscription {
  readonly feed: LiveFeed;
  /** The address that its events are told under. */
  readonly url: string;
  /** Ids that the client says it has, the most trustworthy first. */
  readonly cursors: readonly string[];
  readonly mayCompress: boolean;
}

/** What a stream is made of. */
export interface StreamOptions {
  /** Whether the connection can carry events whose data is not text. */
  readonly carriesBinary: boolean;
  readonly carriesPatches: boolean;
  /** Whether who has the newest state of a URL is told that it is current. */
  readonly confirms: boolean;
  /** Its name, for whoever asks what is going on. */
  readonly transport: string;
  /** After so many last words the stream ends; `undefined` when it stays open for other URLs. */
  readonly urls: number | undefined;
  readonly connect: (hooks: ConnectionHooks) => Connection;
  /** Called once, when the stream is over. */
  readonly onClose: () => void;
}

/**
 * One URL of a stream, as its channel sees it. There are as many as subscribers: an object literal
 * with a getter would have a dictionary of its own, which costs memory and, at each event, time.
 */
class Place implements Sink {
  readonly feed: LiveFeed;
  readonly url: string;
  subscriber: Subscriber | undefined;
  isLeft = false;
  readonly #mayCompress: boolean;
  readonly #connection: Connection;
  readonly #options: StreamOptions;
  readonly #onLastWord: (place: Place) => void;
  /** The state has become something else than text, and the connection carries text only. */
  #isHidden = false;

  constructor(
    { feed, url, mayCompress }: Subscription,
    connection: Connection,
    options: StreamOptions,
    onLastWord: (place: Place) => void,
  ) {
    this.feed = feed;
    this.url = url;
    this.#mayCompress = mayCompress;
    this.#connection = connection;
    this.#options = options;
    this.#onLastWord = onLastWord;
  }

  get transport(): string {
    return this.#options.transport;
  }

  get takesPatches(): boolean {
    return this.#options.carriesPatches;
  }

  get wantsConfirmation(): boolean {
    return this.#options.confirms;
  }

  get isWritable(): boolean {
    return this.#connection.isWritable;
  }

  send(events: readonly ChannelEvent[]): boolean {
    const carried = this.#options.carriesBinary ? events : this.#asText(events);
    return this.#connection.send(carried, this.url, this.#mayCompress);
  }

  ended(): void {
    this.#onLastWord(this);
  }

  /** What a text-only transport is told: that the state is no text any more, and when it is again. */
  #asText(events: readonly ChannelEvent[]): readonly ChannelEvent[] {
    // In a fan-out nearly always: the same events for everybody, and no list to make.
    if (!this.#isHidden && events.every((event) => eventText(event) !== undefined)) return events;
    return events.flatMap((event) => {
      const wasHidden = this.#isHidden;
      if (carriesState(event)) this.#isHidden = eventText(event) === undefined;
      if (this.#isHidden && !isLastWord(event)) {
        return wasHidden ? [] : [controlEvent('stale', event.id, { code: 'NOT_TEXT' })];
      }
      return wasHidden && !this.#isHidden ? [event, controlEvent('fresh', event.id, {})] : [event];
    });
  }
}

/** One connection and the channels that it shows. */
export class Stream {
  readonly #options: StreamOptions;
  readonly #connection: Connection;
  #places: Place[] = [];
  #lastWords = 0;
  #isOpen = true;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#connection = options.connect({
      onDrain: () => this.#flush(),
      onClose: () => this.#close(),
    });
  }

  /** How many URLs it shows now. */
  get size(): number {
    return this.#places.length;
  }

  /** Bytes that its peer has not taken yet. */
  get waitingBytes(): number {
    return this.#connection.waitingBytes;
  }

  /** For how long its peer has not taken everything, in milliseconds. */
  get waitedMs(): number {
    return this.#connection.waitedMs;
  }

  /** Show a URL as well; in place of itself if it is shown already. */
  add(subscription: Subscription): void {
    if (!this.#isOpen) return;
    const { feed, cursors } = subscription;
    const place = new Place(subscription, this.#connection, this.#options, this.#onLastWord);
    feed.join();
    this.#places.push(place);
    const subscriber = feed.channel.subscribe(place, cursors);
    // It may be over already, by what it was told just now.
    if (place.isLeft) feed.channel.unsubscribe(subscriber);
    else place.subscriber = subscriber;
  }

  /** Show a URL no more. */
  remove(url: string): void {
    for (const place of this.#places.filter((candidate) => candidate.url === url)) {
      this.#leave(place);
    }
  }

  /** End it; with `retryMs` the client is asked to come back after that time. */
  end(retryMs?: number): void {
    this.#connection.end(retryMs);
  }

  /** End it now, whatever waits for its peer. */
  cut(): void {
    this.#connection.cut();
  }

  readonly #onLastWord = (place: Place): void => {
    this.#lastWords += 1;
    const { urls } = this.#options;
    if (urls === undefined) this.#leave(place);
    else if (this.#lastWords === urls) this.#connection.end();
  };

  /** In turn, else a URL that always has something to say would leave the others nothing. */
  #flush(): void {
    for (let left = this.#places.length; left > 0; left--) {
      const place = this.#places.shift();
      if (!place) return;
      this.#places.push(place);
      if (place.subscriber?.flush() === false) return;
    }
  }

  #leave(place: Place): void {
    if (place.isLeft) return;
    place.isLeft = true;
    this.#places = this.#places.filter((other) => other !== place);
    if (place.subscriber) place.feed.channel.unsubscribe(place.subscriber);
    place.feed.leave();
  }

  #close(): void {
    this.#isOpen = false;
    for (const place of this.#places) this.#leave(place);
    this.#options.onClose();
  }
}
