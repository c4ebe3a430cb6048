import type { Polls } from './polls.ts';
import type { PollTimer, Timers } from './timers.ts';
import { isSameTimer } from './timers.ts';
import type { Taking } from './xhr.ts';

const SAFE = /^(?:GET|HEAD|OPTIONS)$/;

/** Joins the page's requests, its timers and what is live. */
export function createTaking(polls: Polls, timers: Timers): Taking {
  /** The timers that have led to each poll, by its address. */
  const learned: Record<string, PollTimer[]> = {};

  function remember(address: string, timer: PollTimer | undefined): void {
    if (!timer) return;
    const ofPoll = learned[address] || [];
    const isKnown = ofPoll.some((other) => isSameTimer(other, timer));
    if (!isKnown && ofPoll.length < MAX_TIMERS) learned[address] = ofPoll.concat(timer);
  }

  return {
    answer(request) {
      const found = polls.find(request);
      if (found) remember(found.told.address, timers.current);
      return polls.answer(request);
    },
    onSent(request) {
      const timer = timers.current;
      const isWrite = !SAFE.test(request.method) && !polls.find(request);
      const endWrite = isWrite ? polls.beginWrite() : undefined;
      const { writes } = polls;
      return (header) => {
        if (endWrite) endWrite();
        const poll = header && polls.learn(request, header('comet-live'), writes);
        if (!poll) return;
        const { address } = poll.told;
        remember(address, timer);
        if (poll.onNews.length > 0) return;
        poll.onNews.push(() => {
          for (const one of learned[address] || []) timers.hurry(one);
        });
      };
    },
  };
}

const MAX_TIMERS = 8;
