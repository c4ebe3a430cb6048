import type { JudgeOptions, Retained } from '../../src/poll/judge.ts';
import { Judge } from '../../src/poll/judge.ts';
import { createPollBudget } from '../../src/poll/poll-budget.ts';
import type { Poll, PollerOptions } from '../../src/poll/poller.ts';
import { createUpstreamBreaker } from '../../src/poll/upstream-breaker.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { ScriptedFetch } from './scripted-fetch.ts';

/** A judge of a public endpoint without any settings. */
export function testJudge(
  clock: Clock,
  retained: () => Retained | undefined,
  options: Partial<JudgeOptions> = {},
): Judge {
  return new Judge({
    clock,
    isPrivate: false,
    personal: {
      isPublic: true,
      setCookie: 'end',
      cacheControl: 'obey',
      isKeyed: (header) => header === 'host',
      cookies: [],
    },
    comparison: { select: [], ignore: [], compare: 'value' },
    ignoreForMs: 60_000,
    maxBytes: 1_000_000,
    rewrite: undefined,
    retained,
    ...options,
  });
}

/** Polls by a script, judged as above. */
export function testPoll(
  script: ScriptedFetch,
  clock: Clock,
  retained: () => Retained | undefined,
): Poll {
  const judge = testJudge(clock, retained);
  return async (signal) => judge.judge(await script.fetch(judge.conditions, signal));
}

/** An upstream that takes any number of polls, and whose breaker never opens by a probe. */
export function openUpstream(clock: Clock): PollerOptions['upstream'] {
  return {
    budget: createPollBudget({ clock, maxConcurrent: 1_000, maxPerSecond: 1_000, burst: 1_000 }),
    breaker: createUpstreamBreaker({
      clock,
      random: () => 0.5,
      probe: async () => true,
      log: silentLogger,
      label: {},
    }),
  };
}
