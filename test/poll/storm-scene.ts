import { createPollBudget } from '../../src/poll/poll-budget.ts';
import type { Every, PollReport } from '../../src/poll/schedule.ts';
import {
  delayMs,
  firstDelayMs,
  firstPace,
  nextPace,
  resumeDelayMs,
} from '../../src/poll/schedule.ts';
import type { UpstreamBreaker } from '../../src/poll/upstream-breaker.ts';
import { createUpstreamBreaker } from '../../src/poll/upstream-breaker.ts';
import type { Verdict } from '../../src/poll/verdict.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { BusyClock } from './busy-clock.ts';
import { createBusyClock } from './busy-clock.ts';
import { createSeededRandom } from './seeded-random.ts';

/** How an upstream answers a poll, and after which time. */
export interface Reply {
  readonly verdict: Verdict;
  readonly tookMs: number;
  readonly retryAfterMs?: number;
}

/** An upstream as the proxy meets it. */
export interface SimulatedUpstream {
  readonly poll: Reply;
  /** Whether it takes connections, and after which time that is known. */
  readonly connection: { readonly isTaken: boolean; readonly tookMs: number };
}

const GOOD = { isTaken: true, tookMs: 1 };

/** Upstreams, well and in several kinds of trouble. */
export const UPSTREAMS = {
  well: { poll: { verdict: 'up', tookMs: 5 }, connection: GOOD },
  refusing: {
    poll: { verdict: 'down', tookMs: 1 },
    connection: { isTaken: false, tookMs: 1 },
  },
  silent: {
    poll: { verdict: 'down', tookMs: 10_000 },
    connection: { isTaken: false, tookMs: Number.POSITIVE_INFINITY },
  },
  overloaded: { poll: { verdict: 'failing', tookMs: 5 }, connection: GOOD },
  unavailable: {
    poll: { verdict: 'failing', tookMs: 5, retryAfterMs: 30_000 },
    connection: GOOD,
  },
  hanging: { poll: { verdict: 'failing', tookMs: 10_000 }, connection: GOOD },
} as const satisfies Record<string, SimulatedUpstream>;

/** What happened so far. */
export interface Storm {
  readonly clock: BusyClock;
  readonly breaker: UpstreamBreaker;
  /** How the upstream is from now on. Polls under way end as they would have. */
  upstream: SimulatedUpstream;
  /** When polls reached the upstream. */
  readonly polls: readonly number[];
  /** When probes did. */
  readonly probes: readonly number[];
  /** When each channel polled with success. */
  readonly successes: readonly (readonly number[])[];
  /** No channel polls any more. */
  stop(): void;
}

/** What the storm comes over. */
export interface StormOptions {
  readonly channels: number;
  readonly every: Every;
  readonly seed?: number;
  readonly maxConcurrent?: number;
  readonly maxPerSecond?: number;
}

/** Start channels that poll one upstream, all at once, as the poller does it. */
export function startStorm(options: StormOptions): Storm {
  const { every, maxConcurrent = 64, maxPerSecond = 5_000 } = options;
  const clock = createBusyClock();
  const random = createSeededRandom(options.seed ?? 1);
  const budget = createPollBudget({ clock, maxConcurrent, maxPerSecond });
  const polls: number[] = [];
  const probes: number[] = [];
  const abort = new AbortController();
  const breaker = createUpstreamBreaker({
    clock,
    random,
    log: silentLogger,
    label: {},
    probe() {
      probes.push(clock.now());
      const { isTaken, tookMs } = storm.upstream.connection;
      return new Promise((resolve) => {
        if (Number.isFinite(tookMs)) clock.after(tookMs, () => resolve(isTaken));
      });
    },
  });

  function startChannel(): number[] {
    const successes: number[] = [];
    let pace = firstPace(every);
    let isFirst = true;
    let isPolling = false;
    let timer = clock.after(0, () => void poll());
    const pass = breaker.join({
      everyMs: every.minMs,
      onTrial() {
        if (isPolling || abort.signal.aborted || clock.now() < pace.notBefore) return false;
        void poll();
        return true;
      },
      onRecovered() {
        if (isPolling || pace.failures === 0) return;
        plan(resumeDelayMs(pace, clock.now(), random()));
      },
    });
    abort.signal.addEventListener('abort', () => {
      pass.leave();
      timer.cancel();
    });

    function plan(delay: number): void {
      timer.cancel();
      if (!abort.signal.aborted) timer = clock.after(delay, () => void poll());
    }

    async function poll(): Promise<void> {
      timer.cancel();
      isPolling = true;
      const at = clock.now();
      const reply = await ask();
      isPolling = false;
      if (reply?.verdict === 'up') successes.push(clock.now());
      const report: PollReport = {
        result: reply?.verdict === 'up' ? 'unchanged' : 'failed',
        at,
        tookMs: clock.now() - at,
        retryAfterMs: reply?.retryAfterMs,
      };
      pace = nextPace(pace, every, report);
      const delay = isFirst ? firstDelayMs : delayMs;
      isFirst = false;
      plan(delay(pace, every, report, random()));
    }

    /** @returns `undefined` when the upstream was not asked. */
    async function ask(): Promise<Reply | undefined> {
      if (breaker.state === 'open' || abort.signal.aborted) return undefined;
      const release = budget.tryTake() ?? (await budget.take(abort.signal).catch(() => undefined));
      if (!release) return undefined;
      if (!pass.mayPoll()) {
        release('unused');
        return undefined;
      }
      polls.push(clock.now());
      const reply: Reply = storm.upstream.poll;
      await new Promise<void>((resolve) => clock.after(reply.tookMs, resolve));
      release();
      pass.onResult(reply.verdict, reply.retryAfterMs);
      return reply;
    }

    return successes;
  }

  const storm = {
    clock,
    breaker,
    upstream: UPSTREAMS.well as SimulatedUpstream,
    polls,
    probes,
    successes: [] as number[][],
    stop() {
      abort.abort();
      breaker.close();
    },
  };
  for (let index = 0; index < options.channels; index++) storm.successes.push(startChannel());
  return storm;
}

/** How many moments fall into each window of this length from one moment until another. */
export function perWindow(
  moments: readonly number[],
  windowMs: number,
  fromMs: number,
  untilMs: number,
): number[] {
  const counts = new Array<number>(Math.ceil((untilMs - fromMs) / windowMs)).fill(0);
  for (const moment of moments) {
    if (moment < fromMs || moment >= untilMs) continue;
    const index = Math.floor((moment - fromMs) / windowMs);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}
