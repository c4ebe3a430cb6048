import type { Subscriber } from '../channel/subscriber.ts';
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

interface Place {
  readonly feed: LiveFeed;
  readonly url: string;
  subscriber: Subscriber | undefined;
  isLeft: boolean;
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
  add({ feed, url, cursors, mayCompress }: Subscription): void {
    if (!this.#isOpen) return;
    const connection = this.#connection;
    const carried = this.#options.carriesBinary ? undefined : createTextOnly();
    const place: Place = { feed, url, subscriber: undefined, isLeft: false };
    const sink = {
      transport: this.#options.transport,
      takesPatches: this.#options.carriesPatches,
      wantsConfirmation: this.#options.confirms,
      get isWritable() {
        return connection.isWritable;
      },
      send: (events: readonly ChannelEvent[]) =>
        connection.send(carried?.(events) ?? events, url, mayCompress),
      ended: () => this.#onLastWord(place),
    };
    feed.join();
    this.#places.push(place);
    const subscriber = feed.channel.subscribe(sink, cursors);
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

  #onLastWord(place: Place): void {
    this.#lastWords += 1;
    const { urls } = this.#options;
    if (urls === undefined) this.#leave(place);
    else if (this.#lastWords === urls) this.#connection.end();
  }

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

/**
 * What a text-only transport is told of a URL: that the state has become something else than text,
 * and when it is text again.
 */
function createTextOnly(): (events: readonly ChannelEvent[]) => readonly ChannelEvent[] {
  let isHidden = false;
  return (events) =>
    events.flatMap((event) => {
      const wasHidden = isHidden;
      if (carriesState(event)) isHidden = eventText(event) === undefined;
      if (isHidden && !isLastWord(event)) {
        return wasHidden ? [] : [controlEvent('stale', event.id, { code: 'NOT_TEXT' })];
      }
      return wasHidden && !isHidden ? [event, controlEvent('fresh', event.id, {})] : [event];
    });
}
