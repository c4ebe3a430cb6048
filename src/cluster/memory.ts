import type { ChannelEvent } from '../protocol/event.ts';
import { carriesState, isLastWord } from '../protocol/event.ts';
import type { Backplane, Lease } from './backplane.ts';

interface Topic {
  readonly listeners: Set<(event: ChannelEvent) => void>;
  lease: Lease | undefined;
  latest: ChannelEvent | undefined;
}

/** The backplane of a single node: everything stays in this process. */
export function createMemoryBackplane(startedAt: number = Date.now()): Backplane {
  const topics = new Map<string, Topic>();
  // Counting on from the start time keeps epochs apart from those of an earlier process.
  let epochs = startedAt * 1_000;

  function topicOf(channel: string): Topic {
    const existing = topics.get(channel);
    if (existing) return existing;
    const topic: Topic = { listeners: new Set(), lease: undefined, latest: undefined };
    topics.set(channel, topic);
    return topic;
  }

  function forgetUnused(channel: string, topic: Topic): void {
    if (topic.listeners.size === 0 && !topic.lease) topics.delete(channel);
  }

  function grant(channel: string, topic: Topic): Lease {
    epochs += 1;
    const lease: Lease = {
      channel,
      epoch: epochs.toString(36),
      isValid: () => topic.lease === lease,
      async release() {
        if (topic.lease !== lease) return;
        topic.lease = undefined;
        topic.latest = undefined;
        forgetUnused(channel, topic);
      },
    };
    topic.lease = lease;
    return lease;
  }

  return {
    async publish(lease, event) {
      const topic = topics.get(lease.channel);
      if (!topic || topic.lease !== lease) return false;
      if (carriesState(event)) topic.latest = event;
      if (isLastWord(event)) topic.latest = undefined;
      for (const listener of [...topic.listeners]) listener(event);
      return true;
    },

    async subscribe(channel, onEvent) {
      const topic = topicOf(channel);
      topic.listeners.add(onEvent);
      return () => {
        if (topic.listeners.delete(onEvent)) forgetUnused(channel, topic);
      };
    },

    async latest(channel) {
      return topics.get(channel)?.latest;
    },

    async acquire(channel) {
      const topic = topicOf(channel);
      return topic.lease ? undefined : grant(channel, topic);
    },

    async close() {
      for (const topic of topics.values()) topic.lease = undefined;
      topics.clear();
    },
  };
}
