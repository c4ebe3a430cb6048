import { Channels } from './channel/channels.ts';
import type { Config } from './config/schema.ts';
import { Buffered } from './live/buffered.ts';
import { LimitLog } from './live/limit-log.ts';
import { Streams } from './live/streams.ts';
import type { Clock } from './shared/clock.ts';
import type { Logger } from './shared/logger.ts';
import { Unread } from './transport/unread.ts';

/** What a process goes by that is not of the config. */
export interface Surroundings {
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
}

/** What is held in memory, and together is bounded by `limits.bufferedBytes`. */
export interface Stores {
  readonly channels: Channels;
  readonly streams: Streams;
  readonly buffered: Buffered;
  readonly limitLog: LimitLog;
}

/** How much state of channels that nobody listens to is kept, and for how long. */
const RESTING = { maxRestingBytes: 64 * 1_024 * 1_024, restMs: 60_000 };

/** Make the stores of one process. */
export function createStores(
  limits: Config['limits'],
  { log, clock, random }: Surroundings,
): Stores {
  const limitLog = new LimitLog(clock, log);
  const onGrowth = () => buffered.onGrowth();
  const unread = new Unread(onGrowth, clock);
  const streams = new Streams(clock, random, limits.maxStreamAge, unread);
  const channels = new Channels({ maxChannels: limits.channels, ...RESTING, onGrowth });
  const buffered: Buffered = new Buffered({
    maxBytes: limits.bufferedBytes,
    channels,
    unread,
    streams,
    clock,
    log,
    limitLog,
  });
  return { channels, streams, buffered, limitLog };
}
