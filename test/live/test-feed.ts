import { Channel } from '../../src/channel/channel.ts';
import type { Subscriber } from '../../src/channel/subscriber.ts';
import type { Backplane } from '../../src/cluster/backplane.ts';
import { createMemoryBackplane } from '../../src/cluster/memory.ts';
import type { FeedOptions } from '../../src/live/feed.ts';
import { Feed } from '../../src/live/feed.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { RecordingSink } from '../channel/recording-sink.ts';
import type { ScriptedFetch } from '../poll/scripted-fetch.ts';
import { createScriptedFetch, jsonAnswer } from '../poll/scripted-fetch.ts';
import { openUpstream, testPoll } from '../poll/test-judge.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';

export const EVERY_MS = 1_000;
export const LINGER_MS = 5_000;

/** A feed under test, and everything around it. */
export interface TestFeed {
  readonly feed: Feed;
  readonly channel: Channel;
  readonly clock: FakeClock;
  readonly backplane: Backplane;
  readonly script: ScriptedFetch;
  /** How often the feed said that it is closed. */
  readonly closedCount: number;
  /** Begin a stream, as `Streams` does. */
  stream(...cursors: string[]): {
    readonly sink: RecordingSink;
    readonly subscriber: Subscriber;
    leave(): void;
  };
}

/** Parts that feeds may share: those of one process, or two nodes of a cluster. */
export interface Shared {
  readonly clock?: FakeClock;
  readonly backplane?: Backplane;
  readonly channel?: Channel;
  readonly script?: ScriptedFetch;
  readonly options?: Partial<FeedOptions>;
}

/** Make a feed whose upstream answers `{"n":1}` until the test says otherwise. */
export function createTestFeed(shared: Shared = {}): TestFeed {
  const clock = shared.clock ?? createFakeClock();
  const backplane = shared.backplane ?? createMemoryBackplane(1);
  const script = shared.script ?? createScriptedFetch(jsonAnswer('{"n":1}'));
  const channel = shared.channel ?? new Channel('c', { maxEvents: 100, maxBytes: 100_000 });
  let closedCount = 0;
  const feed = new Feed({
    channel,
    backplane,
    every: { minMs: EVERY_MS, maxMs: EVERY_MS },
    lingerMs: LINGER_MS,
    createPoll: (retained) => testPoll(script, clock, retained),
    upstream: openUpstream(clock),
    onEnded: () => undefined,
    patch: 'none',
    clock,
    random: () => 0.5,
    log: silentLogger,
    label: {},
    onClose: () => {
      closedCount += 1;
      channel.rest(); // as the registry of channels does
    },
    ...shared.options,
  });
  return {
    feed,
    channel,
    clock,
    backplane,
    script,
    get closedCount() {
      return closedCount;
    },
    stream(...cursors) {
      const sink = new RecordingSink();
      feed.join();
      const subscriber = channel.subscribe(sink, cursors);
      const leave = () => {
        channel.unsubscribe(subscriber);
        feed.leave();
      };
      return { sink, subscriber, leave };
    },
  };
}
