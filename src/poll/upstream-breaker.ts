import type { Clock, Timer } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { BreakerState, Load, Scene } from './breaker-state.ts';
import { afterFailure, afterProbe, afterSuccess, initialState } from './breaker-state.ts';
import { believedRetryAfterMs } from './schedule.ts';
import type { Verdict } from './verdict.ts';

/** What a breaker is made of. */
export interface UpstreamBreakerOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /**
   * Find out cheaply whether there is anybody to ask, such as by opening a connection. Whatever it
   * throws is a no. Ends when the signal aborts.
   */
  readonly probe: (signal: AbortSignal) => Promise<boolean>;
  /**
   * A probe that takes longer has failed.
   *
   * @default 5 seconds
   */
  readonly probeTimeoutMs?: number;
  readonly log: Logger;
  /** How the log names the upstream; holds no secret. */
  readonly label: Readonly<Record<string, string>>;
}

/** One who polls the upstream. None of its methods may throw. */
export interface BreakerMember {
  /** The shortest interval between its polls. */
  readonly everyMs: number;
  /**
   * One poll is wanted to try the upstream: send it now.
   *
   * @returns whether it will; if not, another is asked.
   */
  onTrial(): boolean;
  /** The upstream answers again: plan anew, at a random moment within the interval. */
  onRecovered(): void;
}

/** The way of one member's polls to the upstream. */
export interface BreakerPass {
  /** Ask right before a poll is sent: `true` must be followed by `onResult` or by `leave`. */
  mayPoll(): boolean;
  /** The poll that was let through has ended. */
  onResult(verdict: Verdict, retryAfterMs?: number): void;
  /** No more polls. A poll under way counts no more. */
  leave(): void;
}

/**
 * Keeps polls from an upstream that is down, and notices when it is back.
 *
 * It opens after failures in a row, of all members together. Then no poll is sent; a probe each
 * second or two finds out when the upstream takes connections again, one poll tries it, and when
 * that succeeds all members come back, each at its own moment. Without members it asks nothing.
 */
export interface UpstreamBreaker {
  readonly state: BreakerState['phase'];
  join(member: BreakerMember): BreakerPass;
  /** Ends every timer and the probe under way; lets no poll through any more. */
  close(): void;
}

/** A trial that nobody tells the end of must not keep the others out for ever. */
const LONGEST_TRIAL_MS = 120_000;

/** What was known of an upstream that nobody has polled for so long is of no use. */
const FORGET_AFTER_MS = 30_000;

/** Make the breaker of one upstream. */
export function createUpstreamBreaker(options: UpstreamBreakerOptions): UpstreamBreaker {
  const { clock, random, probe, probeTimeoutMs = 5_000, log, label } = options;
  const members = new Set<BreakerMember>();
  let state: BreakerState = initialState;
  let isClosed = false;
  let openedAt = 0;
  let emptySince = 0;
  /** Who has promised to poll for the trial. */
  let invited: BreakerMember | undefined;
  let timer: Timer | undefined;
  let probing: AbortController | undefined;

  function scene(): Scene {
    return { now: clock.now(), random: random(), members: members.size, load };
  }

  function load(): Load {
    let fastestMs = Number.POSITIVE_INFINITY;
    let pollsPerSecond = 0;
    for (const { everyMs } of members) {
      fastestMs = Math.min(fastestMs, everyMs);
      pollsPerSecond += 1_000 / everyMs;
    }
    return { fastestMs: members.size > 0 ? fastestMs : 0, pollsPerSecond };
  }

  function enter(next: BreakerState): void {
    if (next === state || isClosed) return;
    const before = state.phase;
    state = next;
    rest();
    if (before === 'closed' && next.phase === 'open') {
      openedAt = clock.now();
      log.warn(label, 'the upstream fails: it is not polled until it answers again');
    }
    if (before !== 'closed' && next.phase === 'closed') {
      const downMs = Math.round(clock.now() - openedAt);
      log.info({ ...label, downMs }, 'the upstream answers again: polls go on');
    }
    act(before);
  }

  /** What the new state calls for; the last thing to be done, since members may act on it at once. */
  function act(before: BreakerState['phase']): void {
    if (state.phase === 'open') planProbe(state.probeAt);
    else if (state.phase === 'half-open') {
      if (state.owner) timer = clock.after(LONGEST_TRIAL_MS, endTrial);
      else invite();
    } else if (before !== 'closed') {
      for (const member of [...members]) member.onRecovered();
    }
  }

  function rest(): void {
    timer?.cancel();
    timer = undefined;
    probing?.abort();
    probing = undefined;
    invited = undefined;
  }

  function planProbe(at: number): void {
    timer = clock.after(Math.max(0, at - clock.now()), () => void runProbe());
  }

  async function runProbe(): Promise<void> {
    const own = new AbortController();
    probing = own;
    timer = clock.after(probeTimeoutMs, () => own.abort());
    const isGood = await isAnswered(own.signal);
    if (probing !== own || state.phase !== 'open') return;
    enter(afterProbe(state, isGood, scene()));
  }

  /** `false` at the latest when the signal aborts, also of a probe that does not heed it. */
  function isAnswered(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(false), { once: true });
      const asked = new Promise<boolean>((answer) => answer(probe(signal)));
      asked.then(resolve, () => resolve(false));
    });
  }

  /** Ask members in turn, from the one whose turn was longest ago on. */
  function invite(): void {
    for (let left = members.size; left > 0 && !invited; left--) {
      const [next] = members;
      if (!next || state.phase !== 'half-open' || state.owner) return;
      members.delete(next);
      members.add(next);
      if (next.onTrial()) invited = next;
    }
  }

  function endTrial(): void {
    if (state.phase !== 'half-open' || !state.owner) return;
    const failure = { by: state.owner, isDown: false, retryAfterMs: 0 };
    enter(afterFailure(state, failure, scene()));
  }

  function mayPoll(member: BreakerMember): boolean {
    if (isClosed || !members.has(member)) return false;
    if (state.phase !== 'half-open') return state.phase === 'closed';
    if (state.owner) return false;
    enter({ ...state, owner: member });
    return true;
  }

  function onResult(member: BreakerMember, verdict: Verdict, retryAfterMs: number): void {
    if (isClosed || !members.has(member)) return;
    if (verdict === 'up') return enter(afterSuccess(state, clock.now()));
    if (verdict === 'unknown') {
      const isTrial = state.phase === 'half-open' && state.owner === member;
      return isTrial ? endTrial() : undefined;
    }
    const isDown = verdict === 'down';
    enter(afterFailure(state, { by: member, isDown, retryAfterMs }, scene()));
  }

  function leave(member: BreakerMember): void {
    if (!members.delete(member)) return;
    if (members.size === 0) emptySince = clock.now();
    if (state.phase === 'half-open' && state.owner === member) {
      enter({ ...state, owner: undefined });
    } else if (invited === member) {
      invited = undefined;
      invite();
    } else if (members.size === 0 && state.phase === 'open') rest();
  }

  return {
    get state() {
      return state.phase;
    },
    join(member) {
      const isFirst = members.size === 0 && !isClosed;
      members.add(member);
      if (isFirst && clock.now() - emptySince >= FORGET_AFTER_MS) state = initialState;
      if (isFirst && state.phase === 'open') planProbe(state.probeAt);
      return {
        mayPoll: () => mayPoll(member),
        onResult: (verdict, retryAfterMs) =>
          onResult(member, verdict, believedRetryAfterMs(retryAfterMs)),
        leave: () => leave(member),
      };
    },
    close() {
      isClosed = true;
      rest();
      members.clear();
    },
  };
}
