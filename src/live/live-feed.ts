import type { Channel } from '../channel/channel.ts';
import type { Ended } from '../poll/detect.ts';
import type { PollerOptions } from '../poll/poller.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';

/** What every feed is made of. */
export interface FeedParts {
  readonly channel: Channel;
  /** For how long it goes on after the last stream. */
  readonly lingerMs: number;
  /** What the upstream may be asked, and whether it is up. */
  readonly upstream: PollerOptions['upstream'];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** How the log names it; holds no secret. */
  readonly label: Readonly<Record<string, string>>;
  /** The upstream has refused, or means its answers for one client only; called before `onClose`. */
  readonly onEnded: (outcome: Ended) => void;
  /** Nobody needs it any more; it must not be used after this. */
  readonly onClose: () => void;
}

/** One channel's supply on this node, for those who show it. */
export interface LiveFeed {
  readonly channel: Channel;
  /** The channel that its states come from, if that is open: its own, or one that many sessions share. */
  readonly source: Channel | undefined;
  /** How the log names it; holds no secret. */
  readonly label: Readonly<Record<string, string>>;
  /** Streams and held requests that it is for now. */
  readonly streamCount: number;
  /** There is nothing to wait for any more: the upstream has refused, or the proxy stops. */
  readonly hasEnded: boolean;
  /** Resolves when the first poll has ended, or the state is known from elsewhere. */
  readonly settled: Promise<void>;
  /** Resolves when it must not be used any more. */
  readonly closed: Promise<void>;
  /** A stream begins: it is supplied until `leave` was called as often as this. */
  join(): void;
  /** A stream has ended. */
  leave(): void;
  /**
   * The state for a plain request, not older than the interval.
   *
   * @returns `undefined` when it cannot be had: then the request must go upstream itself.
   */
  refresh(): Promise<ChannelEvent | undefined>;
  /** Nobody may be shown anything of it any more: say so, and stop at once. */
  end(outcome: Ended): void;
  /** Stop at once. */
  close(): void;
}
