import { Channel } from '../channel/channel.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import type { LiveFeed } from './live-feed.ts';

/** A feed that has nothing to say but its last word. */
export function endedFeed(name: string, word: ChannelEvent): LiveFeed {
  const channel = new Channel(name, { maxEvents: 0, maxBytes: 0 });
  channel.apply(word);
  return {
    channel,
    source: channel,
    label: {},
    streamCount: 0,
    hasEnded: true,
    settled: Promise.resolve(),
    closed: Promise.resolve(),
    join: () => undefined,
    leave: () => undefined,
    refresh: () => Promise.resolve(undefined),
    end: () => undefined,
    close: () => undefined,
  };
}
