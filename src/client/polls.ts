import type { Answer } from './answer.ts';
import { answerTo } from './answer.ts';
import { keys } from './browser.ts';
import type { Followed, LiveStates } from './live-states.ts';
import type { PageRequest } from './request-key.ts';
import { requestKey } from './request-key.ts';
import type { Rule, Told } from './told.ts';

/** One poll of the page that is followed. */
export interface Poll {
  readonly followed: Followed;
  readonly told: Told;
  /** Called when there is a new state. */
  readonly onNews: (() => void)[];
  /** States that have come over the stream, the newest last. */
  readonly seen: string[];
  /** A state that the page has been given by the network, and until when it is waited for. */
  awaited: { readonly id: string; readonly untilMs: number } | undefined;
  /** How many writes of the page had ended when the site was asked last. */
  writes: number;
  /** When the site, or the proxy, was asked last. */
  askedAt: number;
  /** When the page asked last. */
  usedAt: number;
}

/** The page's own polls: which they are, and what they are answered with. */
export interface Polls {
  /** What a request can be answered with now; `undefined` when it is to go to the network. */
  answer(request: PageRequest): Answer | undefined;
  /**
   * A request has been answered by the network.
   *
   * @param told - What its answer says of it.
   * @param writes - What `writes` was when it was sent.
   * @returns the poll that it is: one that is sent again.
   */
  learn(request: PageRequest, told: Told, writes: number): Poll | undefined;
  /** The poll that a request is, if it is known to be one. */
  find(request: PageRequest): Poll | undefined;
  /**
   * The page may be changing something: until that has ended nothing is answered, and what was asked
   * for before is old then, or another user's.
   *
   * @returns to be called when the site has answered, with whether it was a write.
   */
  beginWrite(): (isWrite: boolean) => void;
  /** How many writes have ended. */
  readonly writes: number;
}

/** Who is asked so seldom by pushes only keeps its session at the site by this. */
const ASK_EVERY_MS = 300_000;
/** The page does not poll for it any more; timers of hidden pages run once a minute. */
const UNUSED_MS = 90_000;
/** What the stream has not brought by then, it has brought before or never will. */
const AWAITED_MS = 3_000;
/** What takes longer is no write: some pages wait for news with a POST that never ends. */
const LONGEST_WRITE_MS = 10_000;
const MAX_POLLS = 30;
const MAX_ASKED = 200;
const MAX_SEEN = 20;

/** Make it. @param now - Wall time. */
export function createPolls(states: LiveStates, now: () => number): Polls {
  const polls: Record<string, Poll> = {};
  /** By method and path. */
  const rules: Record<string, Rule[]> = {};
  /** When what may become a poll was asked for last. */
  let asked: Record<string, number> = {};
  let writes = 0;
  /** When the writes began that are under way. */
  let writing: { readonly at: number }[] = [];

  function find(request: PageRequest): Poll | undefined {
    for (const rule of rules[place(request)] || []) {
      const poll = polls[requestKey(request, rule)];
      if (poll) return poll;
    }
    return undefined;
  }

  function drop(key: string): void {
    const poll = polls[key];
    if (poll) poll.followed.leave();
    delete polls[key];
  }

  function dropUnused(): void {
    keys(polls)
      .sort((a, b) => usedAt(b) - usedAt(a))
      .forEach((key, index) => {
        if (index >= MAX_POLLS || now() - usedAt(key) > UNUSED_MS) drop(key);
      });
  }

  function usedAt(key: string): number {
    return (polls[key] as Poll).usedAt;
  }

  function follow(told: Told, key: string): Poll {
    const poll: Poll = {
      told,
      onNews: [],
      seen: [],
      awaited: undefined,
      writes,
      askedAt: now(),
      usedAt: now(),
      followed: states.follow(told, () => {
        const { state, lastWord } = poll.followed;
        if (lastWord) {
          if (polls[key] === poll) drop(key);
        } else if (state && state.id !== poll.seen[poll.seen.length - 1]) {
          poll.seen.push(state.id);
          if (poll.seen.length > MAX_SEEN) poll.seen.shift();
          if (poll.awaited && (!poll.awaited.id || poll.awaited.id === state.id)) {
            poll.awaited = undefined;
          }
          for (const tell of poll.onNews) tell();
        }
      }),
    };
    polls[key] = poll;
    return poll;
  }

  return {
    find,
    answer(request) {
      const poll = find(request);
      if (!poll) return undefined;
      poll.usedAt = now();
      const { followed, told, awaited } = poll;
      const isAwaiting = awaited !== undefined && now() < awaited.untilMs;
      const isWriting = writing.some(({ at }) => now() - at < LONGEST_WRITE_MS);
      const isOld = isWriting || poll.writes !== writes || now() - poll.askedAt > ASK_EVERY_MS;
      if (isOld || isAwaiting || !followed.isLive || !followed.state) return undefined;
      return answerTo(request, followed.state, told.rule.isRpc);
    },
    learn(request, told, writesThen) {
      const ofPlace = rules[place(request)] || [];
      const isNew = ofPlace.every((rule) => JSON.stringify(rule) !== JSON.stringify(told.rule));
      if (isNew) rules[place(request)] = ofPlace.concat(told.rule);
      const key = requestKey(request, told.rule);
      const known = polls[key];
      const isSame =
        known && known.told.ticket === told.ticket && known.told.address === told.address;
      if (known && !isSame) drop(key);
      // What is asked for once is no poll: nobody should ask the site for it again and again.
      const isPoll = known || now() - (asked[key] || 0) < UNUSED_MS;
      if (!isPoll && keys(asked).length > MAX_ASKED) asked = {};
      asked[key] = now();
      if (!isPoll) return undefined;
      const poll = (isSame && known) || follow(told, key);
      // Older data than the page has got by now must not reach it.
      if (told.id ? poll.seen.indexOf(told.id) < 0 : poll.writes !== writesThen) {
        poll.awaited = { id: told.id, untilMs: now() + AWAITED_MS };
      }
      poll.writes = writesThen;
      poll.askedAt = poll.usedAt = now();
      dropUnused();
      return poll;
    },
    beginWrite() {
      const write = { at: now() };
      writing.push(write);
      return (isWrite) => {
        writing = writing.filter((other) => other !== write);
        if (isWrite) writes += 1;
      };
    },
    get writes() {
      return writes;
    },
  };
}

function place({ method, target }: PageRequest): string {
  return `${method} ${target.split('?')[0]}`;
}
