import type { ChannelEvent } from '../protocol/event.ts';
import type { Clock } from '../shared/clock.ts';
import type { HttpExchange } from './exchange.ts';
import type { LiveFeed } from './live-feed.ts';

/** How a held request came to its end. */
export type HoldOutcome =
  /** There is another state now. */
  | 'changed'
  /** The time is over, or a newer request of the same client took its place. */
  | 'same'
  /** The channel has ended: only the site can say why. */
  | 'ended'
  /** The client is gone. */
  | 'left';

/** One request to hold. */
export interface Hold {
  readonly exchange: HttpExchange;
  readonly feed: LiveFeed;
  /** The id of the state that the client has. */
  readonly stateId: string | undefined;
  readonly holdMs: number;
  /** Is this another state than the client's? */
  readonly isNews: (state: ChannelEvent) => boolean;
  /**
   * Of a client that does not know that it is held, and may poll by a timer, no matter what is open:
   * a newer request of the same client for the same URL ends this one, else they would take up all
   * connections that its browser has for the site. `undefined`: nothing ends it.
   */
  readonly client: string | undefined;
}

/** Holds plain requests until the state is another one than the client has. */
export class Holder {
  readonly #clock: Clock;
  readonly #ends = new Set<() => void>();
  readonly #byClient = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the request is to be answered. Never rejects. */
  hold({ exchange, feed, stateId, holdMs, isNews, client }: Hold): Promise<HoldOutcome> {
    const { res } = exchange;
    const key = client === undefined ? undefined : `${client} ${feed.channel.name}`;
    if (key !== undefined) this.#byClient.get(key)?.();
    feed.join();
    return new Promise((resolve) => {
      const end = (outcome: HoldOutcome) => {
        if (!this.#ends.delete(release)) return;
        if (key !== undefined) this.#byClient.delete(key);
        timer.cancel();
        res.off('close', onClose);
        // Not from inside of what the channel is just telling.
        queueMicrotask(() => feed.channel.unsubscribe(subscriber));
        feed.leave();
        resolve(outcome);
      };
      const release = () => end('same');
      const onClose = () => end('left');
      const timer = this.#clock.after(holdMs, release);
      this.#ends.add(release);
      if (key !== undefined) this.#byClient.set(key, release);
      res.once('close', onClose);
      const sink = {
        transport: 'held',
        takesPatches: false,
        isWritable: true,
        send(events: readonly ChannelEvent[]) {
          if (events.some((event) => event.type === 'snapshot' && isNews(event))) end('changed');
          return true;
        },
        ended: () => end('ended'),
      };
      const cursors = stateId === undefined ? [] : [stateId];
      const subscriber = feed.channel.subscribe(sink, cursors);
    });
  }

  /** Answer all of them now. */
  release(): void {
    for (const end of [...this.#ends]) end();
  }
}
