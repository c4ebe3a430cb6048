/** Bounds of the interval from the start of one poll to the start of the next. */
export interface Every {
  readonly minMs: number;
  readonly maxMs: number;
}

/** How a channel is being polled now. */
export interface Pace {
  /** The interval while all is well. */
  readonly intervalMs: number;
  /** Polls that failed in a row. */
  readonly failures: number;
  /** The clock's time of the poll that found the last change; `undefined` before the first. */
  readonly changedAt: number | undefined;
  /** An estimate of the time from one change to the next; `undefined` until two were found. */
  readonly changeEveryMs: number | undefined;
  /** The clock's time before which the upstream asked not to be polled (`Retry-After`). */
  readonly notBefore: number;
}

/** What the schedule needs to know of a poll that has ended. */
export interface PollReport {
  readonly result: 'changed' | 'unchanged' | 'failed';
  /** The clock's time when it was sent. */
  readonly at: number;
  readonly tookMs: number;
  /** What the upstream asked for by `Retry-After`. */
  readonly retryAfterMs?: number | undefined;
}

/** An adaptive interval grows by at most this factor with each poll that finds no change. */
const GROWTH = 1.5;
/** An adaptive interval is at most this share of the time that changes take to come. */
const SHARE_OF_CHANGE = 1 / 4;
/** How much the newest time between two changes counts in the estimate, on a logarithmic scale. */
const WEIGHT = 1 / 3;
/** Backoff after failures never exceeds this, or the slowest interval if that is longer. */
const LONGEST_BACKOFF_MS = 60_000;
/** What an upstream asks for by `Retry-After` is believed up to this. */
const LONGEST_RETRY_AFTER_MS = 10 * 60_000;
/** Intervals vary by this share in both directions, so that channels do not beat together. */
const JITTER = 0.05;

/** The pace of a channel that has not been polled yet. */
export function firstPace(every: Every): Pace {
  return {
    intervalMs: every.minMs,
    failures: 0,
    changedAt: undefined,
    changeEveryMs: undefined,
    notBefore: Number.NEGATIVE_INFINITY,
  };
}

/**
 * The pace after a poll.
 *
 * A change brings an adaptive interval back to the fastest. While nothing changes it grows, but to
 * no more than a quarter of the time that changes usually take, or of the time since the last one
 * if that is longer: what changes every ten seconds is seen within a few seconds for ever, what
 * has stopped changing is soon polled at the slowest interval.
 */
export function nextPace(pace: Pace, every: Every, report: PollReport): Pace {
  switch (report.result) {
    case 'changed': {
      const changeEveryMs = estimate(pace, report.at);
      return { ...firstPace(every), changedAt: report.at, changeEveryMs };
    }
    case 'unchanged': {
      const intervalMs = grown(pace, every, report.at);
      if (intervalMs === pace.intervalMs && pace.failures === 0) return pace;
      return { ...pace, intervalMs, failures: 0, notBefore: Number.NEGATIVE_INFINITY };
    }
    case 'failed': {
      const notBefore = report.at + report.tookMs + believedRetryAfterMs(report.retryAfterMs);
      return { ...pace, failures: pace.failures + 1, notBefore };
    }
  }
}

/**
 * Milliseconds from the end of a poll to the start of the next.
 *
 * Intervals count from start to start. A poll that took longer than its interval is followed by a
 * pause of a tenth of it, so that a slow upstream is not asked without a break.
 *
 * @param random - Uniform in [0, 1).
 */
export function delayMs(pace: Pace, every: Every, report: PollReport, random: number): number {
  const factor = 1 + JITTER * (2 * random - 1);
  if (pace.failures === 0) return restOf(pace.intervalMs * factor, pace, report);
  const ceiling = Math.max(LONGEST_BACKOFF_MS, every.maxMs);
  const backoff = Math.min(ceiling, pace.intervalMs * 2 ** Math.min(pace.failures, 20));
  const asked = believedRetryAfterMs(report.retryAfterMs);
  if (asked === 0) return backoff * factor;
  // Never before the moment that was asked for, and not all at that moment: a date tells the same
  // moment to everybody.
  const spread = Math.max(asked * JITTER, pace.intervalMs);
  return Math.max(backoff * factor, asked + spread * random);
}

/**
 * Milliseconds from the end of the first poll of a loop, which was sent at once since somebody
 * waited for it, to the start of the second: so that loops that were started together part.
 *
 * @param random - Uniform in [0, 1).
 */
export function firstDelayMs(pace: Pace, every: Every, report: PollReport, random: number): number {
  if (pace.failures > 0) return delayMs(pace, every, report, random);
  return restOf(pace.intervalMs * (0.5 + random / 2), pace, report);
}

/**
 * Milliseconds from the moment when an upstream answers again to the next poll of a channel that
 * has waited for it: spread over the interval that the channel had, so that the upstream gets the
 * load that it is used to.
 *
 * @param random - Uniform in [0, 1).
 */
export function resumeDelayMs(pace: Pace, now: number, random: number): number {
  return Math.max(0, pace.notBefore - now) + pace.intervalMs * random;
}

function restOf(interval: number, pace: Pace, { tookMs }: PollReport): number {
  return Math.max(interval - tookMs, pace.intervalMs / 10);
}

function grown({ intervalMs, changedAt, changeEveryMs }: Pace, every: Every, now: number): number {
  const { minMs, maxMs } = every;
  const bounded = (value: number) => Math.min(maxMs, Math.max(minMs, value));
  if (changedAt === undefined || changeEveryMs === undefined) return bounded(intervalMs * GROWTH);
  const toCome = Math.max(changeEveryMs, now - changedAt);
  return bounded(Math.min(intervalMs * GROWTH, toCome * SHARE_OF_CHANGE));
}

/**
 * A mean of the times between changes, in which a time counts by its logarithm: one quiet night
 * does not hide the rate of the day for long, nor does one burst that of the hours around it.
 */
function estimate({ changedAt, changeEveryMs }: Pace, now: number): number | undefined {
  if (changedAt === undefined) return undefined;
  const sample = Math.max(1, now - changedAt);
  if (changeEveryMs === undefined) return sample;
  return changeEveryMs ** (1 - WEIGHT) * sample ** WEIGHT;
}

/** What is believed of an upstream's `Retry-After`. */
export function believedRetryAfterMs(retryAfterMs: number | undefined): number {
  return Math.min(Math.max(0, retryAfterMs ?? 0), LONGEST_RETRY_AFTER_MS);
}
