import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Subscriber } from '../channel/subscriber.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import { carriesState, controlEvent, isLastWord } from '../protocol/event.ts';
import type { Clock } from '../shared/clock.ts';
import type { Framing } from '../transport/framing.ts';
import { HttpConnection } from '../transport/http-connection.ts';
import type { Feed } from './feed.ts';

/** One URL in a stream. */
export interface Subscription {
  readonly feed: Feed;
  /** The address that its events are told under. */
  readonly url: string;
  /** Ids that the client says it has, the most trustworthy first. */
  readonly cursors: readonly string[];
}

/** What is written beside the events. */
export interface StreamOptions {
  readonly framing: Framing;
  readonly headers: Readonly<Record<string, string>>;
  readonly paddingBytes: number;
  /** Called once, when the stream is over. */
  readonly onClose: () => void;
}

/** Longest silence on a stream: below the idle timeouts of proxies, balancers and mobile networks. */
export const HEARTBEAT_MS = 15_000;
/** A peer that read nothing for so long is gone. */
const STALL_MS = 120_000;
/** Clients of a proxy that died come back at random moments in this range. */
const RETRY_MS = { from: 2_000, to: 5_000 };
/** On shutdown no more than one stream ends in this time, as long as the drain time allows it. */
const DRAIN_SPACING_MS = 20;

/** The open streams of this node. */
export class Streams {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #open = new Set<HttpConnection>();
  #onEmpty: (() => void) | undefined;
  #isDraining = false;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Streams open now. */
  get size(): number {
    return this.#open.size;
  }

  /** Answer a request with the events of these subscriptions until either side ends it. */
  async open(
    req: IncomingMessage,
    res: ServerResponse,
    subscriptions: readonly Subscription[],
    options: StreamOptions,
  ): Promise<void> {
    // Before waiting for anything: a feed that nobody has joined closes.
    for (const { feed } of subscriptions) feed.join();
    const socket = await socketOf(req, res);
    if (!socket) {
      for (const { feed } of subscriptions) feed.leave();
      return options.onClose();
    }
    const places: { feed: Feed; subscriber: Subscriber }[] = [];
    let unfinished = subscriptions.length;

    const connection = new HttpConnection(res, socket, options.framing, {
      clock: this.#clock,
      headers: options.headers,
      prelude: { retryMs: this.#between(RETRY_MS), paddingBytes: options.paddingBytes },
      heartbeatMs: HEARTBEAT_MS,
      stallMs: STALL_MS,
      onDrain: () => {
        // In turn, else a URL that always has something to say would leave the others nothing.
        for (let left = places.length; left > 0; left--) {
          const place = places.shift();
          if (!place) return;
          places.push(place);
          if (!place.subscriber.flush()) return;
        }
      },
      onClose: () => {
        this.#open.delete(connection);
        for (const { feed, subscriber } of places) {
          feed.channel.unsubscribe(subscriber);
          feed.leave();
        }
        options.onClose();
        if (this.#open.size === 0) this.#onEmpty?.();
      },
    });
    this.#open.add(connection);

    for (const { feed, url, cursors } of subscriptions) {
      const carried = carrier(options.framing);
      const sink = {
        get isWritable() {
          return connection.isWritable;
        },
        send: (events: readonly ChannelEvent[]) => connection.send(carried(events), url),
        ended: () => {
          unfinished -= 1;
          if (unfinished === 0) connection.end();
        },
      };
      places.push({ feed, subscriber: feed.channel.subscribe(sink, cursors) });
    }
    if (this.#isDraining) connection.end(this.#between(RETRY_MS));
  }

  /**
   * End all streams at random moments, each with the hint to come back at a random moment, so that
   * the successor is not met by everybody at once.
   *
   * @param windowMs - Longest time to take; few streams take less.
   */
  async drain(windowMs: number): Promise<void> {
    this.#isDraining = true;
    if (this.#open.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    const spreadMs = Math.min(windowMs, this.#open.size * DRAIN_SPACING_MS);
    for (const connection of this.#open) {
      const retryMs = this.#between({ from: 1_000, to: 1_000 + windowMs });
      this.#clock.after(this.#random() * spreadMs, () => connection.end(retryMs));
    }
    await empty;
  }

  #between({ from, to }: { from: number; to: number }): number {
    return from + this.#random() * (to - from);
  }
}

/** A pipelined answer gets its socket only when the one before it is finished. */
async function socketOf(req: IncomingMessage, res: ServerResponse): Promise<Socket | undefined> {
  if (!res.socket && !req.destroyed) {
    await Promise.race([once(res, 'socket'), once(res, 'close')]).catch(() => undefined);
  }
  return res.socket && !res.destroyed && !res.socket.destroyed ? res.socket : undefined;
}

/**
 * What a framing can carry of a URL's events: the reader of a text-only one is told when the state
 * has become something else than text, and when it is text again.
 */
function carrier(framing: Framing): (events: readonly ChannelEvent[]) => readonly ChannelEvent[] {
  if (framing.carriesBinary) return (events) => events;
  let isHidden = false;
  return (events) =>
    events.flatMap((event) => {
      const wasHidden = isHidden;
      if (carriesState(event)) isHidden = event.encoding === 'base64';
      if (isHidden && !isLastWord(event)) {
        return wasHidden ? [] : [controlEvent('stale', event.id, { code: 'NOT_TEXT' })];
      }
      return wasHidden && !isHidden ? [event, controlEvent('fresh', event.id, {})] : [event];
    });
}
