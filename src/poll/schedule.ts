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
}

/** What the schedule needs to know of a poll that has ended. */
export interface PollReport {
  readonly result: 'changed' | 'unchanged' | 'failed';
  readonly tookMs: number;
  /** What the upstream asked for by `Retry-After`. */
  readonly retryAfterMs?: number | undefined;
}

/** An adaptive interval grows by this factor with each poll that finds no change. */
const GROWTH = 1.5;
/** Backoff after failures never exceeds this, or the slowest interval if that is longer. */
const LONGEST_BACKOFF_MS = 60_000;
/** What an upstream asks for by `Retry-After` is believed up to this. */
const LONGEST_RETRY_AFTER_MS = 10 * 60_000;
/** Intervals vary by this share in both directions, so that channels do not beat together. */
const JITTER = 0.05;

/** The pace of a channel that has not been polled yet. */
export function firstPace(every: Every): Pace {
  return { intervalMs: every.minMs, failures: 0 };
}

/** The pace after a poll: back to the fastest on a change, slower while nothing changes. */
export function nextPace(pace: Pace, every: Every, report: PollReport): Pace {
  switch (report.result) {
    case 'changed':
      return { intervalMs: every.minMs, failures: 0 };
    case 'unchanged':
      return { intervalMs: Math.min(every.maxMs, pace.intervalMs * GROWTH), failures: 0 };
    case 'failed':
      return { intervalMs: pace.intervalMs, failures: pace.failures + 1 };
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
  if (pace.failures === 0) {
    const interval = pace.intervalMs * factor;
    return Math.max(interval - report.tookMs, interval / 10);
  }
  const ceiling = Math.max(LONGEST_BACKOFF_MS, every.maxMs);
  const backoff = Math.min(ceiling, pace.intervalMs * 2 ** Math.min(pace.failures, 20));
  const asked = Math.min(report.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS);
  // Never before the moment that was asked for: there the jitter only goes up.
  return Math.max(backoff * factor, asked * (1 + JITTER * random));
}
