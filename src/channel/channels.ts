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
  /** Called when there are more bytes than before. Must not throw. */
  readonly onGrowth?: () => void;
}

/**
 * All channels of this node by name. Those in use are held as long as they are; those at rest stay
 * a while, so that a client that comes back can be resumed, and then leave.
 */
export class Channels {
  readonly #limits: ChannelsLimits;
  readonly #inUse = new Map<string, Channel>();
  readonly #resting: LRUCache<string, Channel>;
  /** Those in use that keep events. */
  readonly #withLog = new Set<Channel>();
  #stateBytes = 0;
  #logBytes = 0;

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

  /** Bytes of states of channels in use. */
  get stateBytes(): number {
    return this.#stateBytes;
  }

  /** Bytes of logs of channels in use. */
  get logBytes(): number {
    return this.#logBytes;
  }

  /** Bytes of channels at rest, with what they take besides. */
  get restingBytes(): number {
    return this.#resting.calculatedSize;
  }

  /** Give up channels at rest, the oldest first, until it is enough. */
  dropResting(isEnough: () => boolean): void {
    while (this.#resting.size > 0 && !isEnough()) this.#resting.pop();
  }

  /** Shorten the logs of channels in use until it is enough. */
  dropLogs(isEnough: () => boolean): void {
    for (const channel of this.#withLog) {
      if (isEnough()) return;
      channel.shortenLog();
    }
  }

  /**
   * Take a channel into use; `undefined` when there are too many.
   *
   * @param kind - A view shows the events of another channel: their bytes are that one's.
   */
  use(name: string, limits: LogLimits, kind: 'own' | 'view' = 'own'): Channel | undefined {
    const existing = this.#inUse.get(name);
    if (existing) return existing;
    if (this.#inUse.size >= this.#limits.maxChannels) return undefined;
    const onSize = (state: number, log: number) => this.#count(channel, state, log);
    const channel: Channel =
      this.#resting.get(name) ?? new Channel(name, limits, kind === 'own' ? onSize : undefined);
    this.#resting.delete(name);
    this.#inUse.set(name, channel);
    if (channel.isCounted) this.#count(channel, channel.stateBytes, channel.logBytes);
    return channel;
  }

  /** Nobody uses the channel any more. */
  rest(channel: Channel): void {
    if (this.#inUse.get(channel.name) !== channel) return;
    this.#inUse.delete(channel.name);
    channel.rest();
    if (channel.isCounted) this.#count(channel, -channel.stateBytes, -channel.logBytes);
    this.#withLog.delete(channel);
    if (channel.retained) this.#resting.set(channel.name, channel);
  }

  #count(channel: Channel, state: number, log: number): void {
    this.#stateBytes += state;
    this.#logBytes += log;
    if (channel.logBytes > 0) this.#withLog.add(channel);
    else this.#withLog.delete(channel);
    if (state + log > 0) this.#limits.onGrowth?.();
  }
}
