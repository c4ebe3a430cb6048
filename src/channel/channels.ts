import { LRUCache } from 'lru-cache';
import { Channel } from './channel.ts';
import type { LogLimits } from './log.ts';

/** How many channels, and how much state of channels at rest, a node holds. */
export interface ChannelsLimits {
  readonly maxChannels: number;
  /** Bytes of state kept for channels that nobody listens to. */
  readonly maxRestingBytes: number;
  /** How long a channel at rest is kept. */
  readonly restMs: number;
}

/**
 * All channels of this node by name. Those in use are held as long as they are; those at rest stay
 * a while, so that a client that comes back can be resumed, and then leave.
 */
export class Channels {
  readonly #limits: ChannelsLimits;
  readonly #inUse = new Map<string, Channel>();
  readonly #resting: LRUCache<string, Channel>;

  constructor(limits: ChannelsLimits) {
    this.#limits = limits;
    this.#resting = new LRUCache({
      max: limits.maxChannels,
      maxSize: limits.maxRestingBytes,
      sizeCalculation: (channel) => channel.bytes + 1_024,
      ttl: limits.restMs,
    });
  }

  /** Channels in use now. */
  get size(): number {
    return this.#inUse.size;
  }

  /** Take a channel into use; `undefined` when there are too many. */
  use(name: string, limits: LogLimits): Channel | undefined {
    const existing = this.#inUse.get(name);
    if (existing) return existing;
    if (this.#inUse.size >= this.#limits.maxChannels) return undefined;
    const channel = this.#resting.get(name) ?? new Channel(name, limits);
    this.#resting.delete(name);
    this.#inUse.set(name, channel);
    return channel;
  }

  /** Nobody uses the channel any more. */
  rest(channel: Channel): void {
    if (this.#inUse.get(channel.name) !== channel) return;
    this.#inUse.delete(channel.name);
    channel.rest();
    if (channel.retained) this.#resting.set(channel.name, channel);
  }
}
