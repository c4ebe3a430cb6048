import type { ChannelImage } from '../../src/channel/channel.ts';
import { Channel } from '../../src/channel/channel.ts';
import type { Refreshed } from '../../src/live/mirror-feed.ts';
import { MirrorFeed } from '../../src/live/mirror-feed.ts';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { subscribe } from '../channel/recording-sink.ts';
import { label } from '../protocol/events.ts';
import { createFakeClock } from '../support/fake-clock.ts';

export const LINGER_MS = 3_000;
export const PATIENCE_MS = 1_000;

/** A channel's image that has these states, the newest of which is confirmed. */
export function imageOf(states: readonly ChannelEvent[], more: Partial<ChannelImage> = {}) {
  return {
    history: { start: undefined, events: states },
    isConfirmed: states.length > 0,
    stale: undefined,
    lastWord: undefined,
    ...more,
  };
}

/** The mirror of a feed, and what it says to a hub that is only here on paper. */
export function createTestMirror(channel = new Channel('c', { maxEvents: 10, maxBytes: 10_000 })) {
  const clock = createFakeClock();
  /** `open`, `open a-1` where a state is known, `join`, … */
  const said: string[] = [];
  const words: string[] = [];
  const answers: ((told: Refreshed | undefined) => void)[] = [];
  let closedCount = 0;
  const feed = new MirrorFeed({
    channel,
    line: {
      open: (known) => said.push(known ? `open ${known.id}` : 'open'),
      close: () => said.push('close'),
      join: () => said.push('join'),
      leave: () => said.push('leave'),
      refresh: () => new Promise((resolve) => answers.push(resolve)),
    },
    lingerMs: LINGER_MS,
    patienceMs: PATIENCE_MS,
    clock,
    label: { endpoint: '/x' },
    onLastWord: (word) => words.push(label(word)),
    onClose: () => {
      closedCount += 1;
      channel.rest(); // as the registry of channels does
    },
  });
  return {
    feed,
    channel,
    clock,
    said,
    words,
    answers,
    get closedCount() {
      return closedCount;
    },
    /** Begin a stream, as `Streams` does. */
    stream(...cursors: string[]) {
      feed.join();
      const { sink, subscriber } = subscribe(channel, ...cursors);
      const leave = () => {
        channel.unsubscribe(subscriber);
        feed.leave();
      };
      return { sink, leave };
    },
  };
}

/** Has this promise been kept by now? */
export async function isKept(promise: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  void promise.then(() => {
    isDone = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return isDone;
}
