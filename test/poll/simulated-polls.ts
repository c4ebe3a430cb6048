import type { Every } from '../../src/poll/schedule.ts';
import { delayMs, firstDelayMs, firstPace, nextPace } from '../../src/poll/schedule.ts';

/** What polling a resource came to. */
export interface PollTally {
  readonly polls: number;
  /** For how long each change was not known. */
  readonly staleness: readonly number[];
  /** The clock's time of each poll, and the interval that it was followed by. */
  readonly sent: readonly { readonly at: number; readonly intervalMs: number }[];
}

/**
 * Poll a resource that changes at these moments, from 0 until `untilMs`, by the schedule. Answers
 * take no time.
 *
 * @param random - Uniform in [0, 1); 0.5 is no jitter.
 */
export function simulatePolls(
  every: Every,
  changes: readonly number[],
  untilMs: number,
  random: () => number = () => 0.5,
): PollTally {
  const sent: { at: number; intervalMs: number }[] = [];
  const staleness: number[] = [];
  let pace = firstPace(every);
  let seen = 0;
  let at = 0;
  while (at < untilMs) {
    let result: 'changed' | 'unchanged' = sent.length === 0 ? 'changed' : 'unchanged';
    for (let next = changes[seen]; next !== undefined && next <= at; next = changes[seen]) {
      staleness.push(at - next);
      result = 'changed';
      seen += 1;
    }
    const report = { result, at, tookMs: 0 };
    pace = nextPace(pace, every, report);
    const delay = sent.length === 0 ? firstDelayMs : delayMs;
    sent.push({ at, intervalMs: pace.intervalMs });
    at += delay(pace, every, report, random());
  }
  return { polls: sent.length, staleness, sent };
}

/** The mean of some numbers; 0 of none. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
