/*
 * closed ─ failures enough ─► open
 * open ─ probe fails ─► open, the next probe somewhat later
 * open ─ probe succeeds, or too many have failed ─► half-open: one poll is let through
 * half-open ─ that poll fails ─► open, for twice as long as after the one before
 * open, half-open ─ any poll succeeds ─► closed
 */

/** Whether an upstream may be polled, and what that goes by. */
export type BreakerState = Closed | Open | HalfOpen;

/** All may poll. */
export interface Closed {
  readonly phase: 'closed';
  /** Failures since the last success. */
  readonly failures: number;
  /** Whose they were: no more than `FAILURES_TO_OPEN`, or it would be open. */
  readonly failing: readonly object[];
  /** The clock's time when it was closed. */
  readonly since: number;
  readonly flaps: number;
}

/** Nobody may poll. */
export interface Open {
  readonly phase: 'open';
  /** The clock's time of the next probe. */
  readonly probeAt: number;
  /** The clock's time from which on a poll is let through even if probes fail. */
  readonly trialAt: number;
  readonly probePauseMs: number;
  readonly trials: number;
  readonly flaps: number;
}

/** One may poll. */
export interface HalfOpen {
  readonly phase: 'half-open';
  /** Whose poll it is, once it has been let through. */
  readonly owner: object | undefined;
  /** A probe has succeeded. */
  readonly isProven: boolean;
  /** Trials since it was closed that have failed. */
  readonly trials: number;
  /** How often in a row it was closed, and had to be opened again soon. */
  readonly flaps: number;
}

/** What the transitions depend on besides the state. */
export interface Scene {
  readonly now: number;
  /** Uniform in [0, 1). */
  readonly random: number;
  /** How many channels poll the upstream. */
  readonly members: number;
  /** What they ask of it while all is well; a function, since most transitions do not need it. */
  readonly load: () => Load;
}

/** How the members poll while all is well. */
export interface Load {
  /** The shortest interval. */
  readonly fastestMs: number;
  readonly pollsPerSecond: number;
}

/** A poll that failed. */
export interface Failure {
  /** Whose poll it was. */
  readonly by: object;
  /** There was no connection: that is the upstream's failure. Others may be one resource's. */
  readonly isDown: boolean;
  /** What the upstream asked for, in as far as it is believed. */
  readonly retryAfterMs: number;
}

/**
 * Failures in a row, of all channels together, after which an upstream is no longer polled. Fewer
 * where few channels poll; but one of several servers behind an address may be down at any time,
 * and that is no reason to stop.
 */
const FAILURES_TO_OPEN = 5;
const FEWEST_WITHOUT_CONNECTION = 2;
const FEWEST_WITH_CONNECTION = 3;
/** Pauses between probes: the first, how they grow, the longest for fast and for slow channels. */
const PROBE_PAUSE = { firstMs: 1_000, growth: 1.3, longestMs: 1_700, longestOfSlowMs: 15_000 };
/** Pauses before trials double from the fastest interval, but at least the first, on. */
const TRIAL_PAUSE = { firstMs: 1_000, longestMs: 30_000 };
/**
 * Trials need not be rarer than this share of the polls while all is well: where many wait for the
 * upstream, its return is worth a poll in each interval; where one does, that would be no relief.
 */
const TRIALS_PER_POLL = 1 / 50;
/** Both vary by this share in both directions: others who wait for the upstream do the same. */
const JITTER = 0.15;
/** An upstream that fails again so soon had not recovered: its pauses go on growing. */
const SETTLED_MS = 10_000;

/** The state of an upstream that nothing is known of. */
export const initialState: Closed = {
  phase: 'closed',
  failures: 0,
  failing: [],
  since: Number.NEGATIVE_INFINITY,
  flaps: 0,
};

/** A poll has failed. */
export function afterFailure(state: BreakerState, failure: Failure, scene: Scene): BreakerState {
  switch (state.phase) {
    case 'closed': {
      const counted = count(state, failure.by);
      return isEnough(counted, failure, scene) ? opened(counted, failure, scene) : counted;
    }
    case 'open':
      return postponed(state, scene.now + failure.retryAfterMs);
    case 'half-open':
      // Polls that were sent before it opened say nothing new.
      return failure.by === state.owner ? reopened(state, failure, scene) : state;
  }
}

/** A poll has succeeded. */
export function afterSuccess(state: BreakerState, now: number): BreakerState {
  if (state.phase === 'closed' && state.failures === 0) return state;
  const since = state.phase === 'closed' ? state.since : now;
  return { ...initialState, since, flaps: state.flaps };
}

/** A probe has ended. */
export function afterProbe(state: Open, isGood: boolean, scene: Scene): BreakerState {
  const { probePauseMs, trials, flaps } = state;
  // A probe is a hint: where it fails for a reason of its own, polls must go on in the end.
  if (isGood || scene.now >= state.trialAt) {
    return { phase: 'half-open', owner: undefined, isProven: isGood, trials, flaps };
  }
  const probeAt = scene.now + jittered(probePauseMs, scene);
  return { ...state, probeAt, probePauseMs: longerProbePause(probePauseMs, scene.load()) };
}

function longerProbePause(pauseMs: number, { fastestMs }: Load): number {
  // Nobody waits each second for what is polled once in an hour.
  const ofSlow = Math.min(PROBE_PAUSE.longestOfSlowMs, fastestMs / 4);
  return Math.min(Math.max(PROBE_PAUSE.longestMs, ofSlow), pauseMs * PROBE_PAUSE.growth);
}

function count(state: Closed, by: object): Closed {
  const failing = state.failing.includes(by) ? state.failing : [...state.failing, by];
  return { ...state, failures: state.failures + 1, failing };
}

function isEnough({ failures, failing }: Closed, { isDown }: Failure, scene: Scene): boolean {
  if (failures < FEWEST_WITHOUT_CONNECTION) return false;
  if (isDown) return failures >= Math.min(FAILURES_TO_OPEN, fastChannels(scene.load()));
  // One resource alone may be slow or broken, however often it is asked.
  const channels = Math.min(FAILURES_TO_OPEN, scene.members);
  return failures >= Math.max(FEWEST_WITH_CONNECTION, channels) && failing.length >= channels;
}

/** How many channels at the fastest interval would make as many polls. */
function fastChannels({ pollsPerSecond, fastestMs }: Load): number {
  return Math.round((pollsPerSecond * fastestMs) / 1_000);
}

function opened(state: Closed, failure: Failure, scene: Scene): Open {
  const hasSettled = scene.now - state.since >= SETTLED_MS;
  const counts = { trials: 0, flaps: hasSettled ? 0 : state.flaps + 1 };
  // Without a connection a probe tells when to go on; else it will succeed, and only pauses help.
  const isProbed = failure.isDown && hasSettled;
  return open(isProbed ? PROBE_PAUSE.firstMs : pauseMs(counts, scene), counts, failure, scene);
}

function reopened(state: HalfOpen, failure: Failure, scene: Scene): Open {
  const isProbed = failure.isDown && !state.isProven;
  const counts = { trials: state.trials + (isProbed ? 0 : 1), flaps: state.flaps };
  return open(isProbed ? PROBE_PAUSE.firstMs : pauseMs(counts, scene), counts, failure, scene);
}

/** What has made pauses longer. */
type Counts = Pick<Open, 'trials' | 'flaps'>;

function open(restMs: number, counts: Counts, { retryAfterMs }: Failure, scene: Scene): Open {
  const { now, load } = scene;
  const probeAt = now + Math.max(jittered(restMs, scene), retryAfterMs);
  const trialAt = probeAt + Math.max(TRIAL_PAUSE.longestMs, load().fastestMs);
  return { phase: 'open', probeAt, trialAt, probePauseMs: PROBE_PAUSE.firstMs, ...counts };
}

/** Doubles with each trial, up to what the number of those who wait is worth, and with each flap. */
function pauseMs({ trials, flaps }: Counts, { load }: Scene): number {
  const { fastestMs, pollsPerSecond } = load();
  const { firstMs, longestMs } = TRIAL_PAUSE;
  const shortest = Math.max(firstMs, fastestMs);
  const worth = 1_000 / (pollsPerSecond * TRIALS_PER_POLL);
  const afterTrials = Math.min(longestMs, worth, shortest * 2 ** Math.min(trials, 20));
  const afterFlaps = Math.min(longestMs, shortest * 2 ** Math.min(flaps, 20));
  return Math.max(shortest, afterTrials, afterFlaps);
}

function postponed(state: Open, until: number): Open {
  if (until <= state.probeAt) return state;
  return { ...state, probeAt: until, trialAt: Math.max(state.trialAt, until) };
}

function jittered(pauseMs: number, { random }: Scene): number {
  return pauseMs * (1 + JITTER * (2 * random - 1));
}
