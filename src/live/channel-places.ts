import type { Channel } from '../channel/channel.ts';
import type { Channels } from '../channel/channels.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type { Buffered } from './buffered.ts';
import type { ChannelLimitsOptions } from './channel-limits.ts';
import { ChannelLimits } from './channel-limits.ts';
import type { LimitLog } from './limit-log.ts';
import type { Wanted } from './wanted.ts';

/** Where channels come from, and how many there may be. */
export interface ChannelPlacesOptions {
  readonly channels: Channels;
  readonly limits: ChannelLimitsOptions;
  readonly limitLog: LimitLog;
  readonly buffered: Pick<Buffered, 'isFull'>;
  /** Size of the events that one channel keeps. */
  readonly maxLogBytes: number;
}

/** A channel in use. */
export interface UsedChannel {
  readonly channel: Channel;
  /** Nobody uses it any more. */
  leave(): void;
}

/** Gives out channels, as long as no limit is reached. */
export class ChannelPlaces {
  readonly #options: ChannelPlacesOptions;
  readonly #limits: ChannelLimits;

  constructor(options: ChannelPlacesOptions) {
    this.#options = options;
    this.#limits = new ChannelLimits(options.limits, options.limitLog);
  }

  /**
   * Take a channel into use.
   *
   * @param address - Of the client who asks for it first.
   * @param kind - Whether it has a state of its own, or shows that of another channel.
   * @returns the code of the limit that is reached, if one is.
   */
  take(
    wanted: Wanted,
    address: string,
    name: string,
    kind: 'own' | 'view',
  ): UsedChannel | ErrorCode {
    const { channels, maxLogBytes, limitLog, buffered } = this.#options;
    if (buffered.isFull) return 'NO_ROOM';
    const release = this.#limits.take(wanted, address);
    if (typeof release === 'string') return release;
    const { history } = wanted.endpoint.config;
    const channel = channels.use(name, { maxEvents: history, maxBytes: maxLogBytes }, kind);
    if (!channel) {
      release();
      limitLog.onReached('channels');
      return 'TOO_MANY_CHANNELS';
    }
    const leave = () => {
      release();
      channels.rest(channel);
    };
    return { channel, leave };
  }
}
