import type { Polls } from './polls.ts';
import type { PollTimer, Timers } from './timers.ts';
import { isSameTimer } from './timers.ts';
import { readTold } from './told.ts';
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
      const mayWrite = !SAFE.test(request.method) && !polls.find(request);
      const endWrite = mayWrite && polls.beginWrite();
      const { writes } = polls;
      return (header) => {
        const told = header && readTold(header('comet-live'));
        if (endWrite) endWrite(!told);
        const poll = told && polls.learn(request, told, writes);
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
