import { mean, median, wilsonLowerBound } from './statistics.ts';

/** A time after which requests come again. */
export interface Period {
  readonly ms: number;
  /** From 0, which is what chance does, to 1. */
  readonly score: number;
}

/** Fewer requests can be anything. */
export const MIN_REQUESTS = 5;
/** What is faster is typing, or one page that asks many times. */
const MIN_PERIOD_MS = 250;
/** Shorter ones are a burst. */
const MIN_SPAN_MS = 4_000;
const BIN_WIDTH = Math.log(1.08);
const LAGS = 6;
const CANDIDATES = 8;
/** How far a request may be from its time, as a share of the period: timers are exact, networks less. */
const TOLERANCES = [0.015, 0.04, 0.12];
/** A fraction of a period that is nearly as good is the period itself. */
const FUNDAMENTAL = 0.8;
/** A pause of so many periods is no part of a series. */
const PAUSE = 6;
/** The next request of a series comes within so many periods, or the series was interrupted. */
const REACH = 1.5;
/** A series between two interruptions is this long at least. */
const MIN_RUN = 4;

/**
 * Find the period of requests, also where several series overlap (two tabs), where some are missing
 * or late, and where times are whole seconds.
 *
 * Periods are tried that many differences between requests suggest. What counts is the share of
 * requests with another one a period away: as a lower bound, since few requests show little; less
 * what requests at random would have; and less the more they scatter.
 *
 * @param times - In milliseconds, sorted.
 * @param resolutionMs - How exact they are.
 */
export function findPeriod(times: readonly number[], resolutionMs: number): Period | undefined {
  const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
  if (times.length < MIN_REQUESTS || span < MIN_SPAN_MS) return undefined;
  const best = candidates(times, resolutionMs)
    .map((ms) => rate(times, ms, resolutionMs))
    .reduce((a, b) => (b.score > a.score ? b : a), { ms: 0, score: 0 });
  if (best.score <= 0) return undefined;
  for (let k = LAGS; k >= 2; k--) {
    const part = best.ms / k;
    if (part < Math.max(MIN_PERIOD_MS, resolutionMs)) continue;
    const fraction = rate(times, part, resolutionMs);
    if (fraction.score >= FUNDAMENTAL * best.score) return fraction;
  }
  return best;
}

/** Differences that come often; those of neighbours count more. */
function candidates(times: readonly number[], resolutionMs: number): number[] {
  const bins = new Map<number, { weight: number; differences: number[] }>();
  for (const [i, start] of times.entries()) {
    for (let lag = 1; lag <= LAGS; lag++) {
      const difference = (times[i + lag] ?? Number.NaN) - start;
      if (!(difference >= Math.max(MIN_PERIOD_MS, resolutionMs))) continue;
      const index = Math.floor(Math.log(difference) / BIN_WIDTH);
      const bin = bins.get(index) ?? { weight: 0, differences: [] };
      bin.weight += 1 / lag;
      bin.differences.push(difference);
      bins.set(index, bin);
    }
  }
  return [...bins.values()]
    .sort((a, b) => b.weight - a.weight)
    .slice(0, CANDIDATES)
    .map(({ differences }) => median(differences));
}

/** How well a period fits, at the tolerance at which it fits best. */
function rate(times: readonly number[], ms: number, resolutionMs: number): Period {
  // Of whole seconds any difference can be one more or less than it was.
  const tolerances = TOLERANCES.map((share) => Math.max(share * ms, resolutionMs));
  const rated = [...new Set(tolerances)].map((tolerance) => rateAt(times, ms, tolerance));
  return rated.reduce((a, b) => (b.score > a.score ? b : a));
}

function rateAt(times: readonly number[], ms: number, tolerance: number): Period {
  const steps: number[] = [];
  let ends = 0;
  let from = 0;
  for (const [i, start] of times.entries()) {
    if (!((times[i + 1] ?? Number.NaN) - start <= REACH * ms + tolerance)) {
      ends += 1;
      continue;
    }
    while (from < times.length && (times[from] ?? 0) < start + ms - tolerance) from += 1;
    let nearest: number | undefined;
    for (let j = Math.max(from, i + 1); j < times.length; j++) {
      const difference = (times[j] ?? 0) - start;
      if (difference > ms + tolerance) break;
      if (nearest === undefined || Math.abs(difference - ms) < Math.abs(nearest - ms)) {
        nearest = difference;
      }
    }
    if (nearest !== undefined) steps.push(nearest);
  }
  if (steps.length < MIN_REQUESTS - 1) return { ms, score: 0 };
  const period = mean(steps);
  const scatter = median(steps.map((step) => Math.abs(step - period)));
  const regularity = Math.max(0, 1 - scatter / period);
  // After the last one before a pause nothing is to be expected; but a series has more than an end.
  const expected = Math.max(1, Math.floor(steps.length / MIN_RUN));
  const tries = times.length - Math.min(ends, expected);
  const share = wilsonLowerBound(steps.length, tries);
  const chance = chanceOf(times, ms, tolerance);
  return { ms: period, score: Math.max(0, (share - chance) / (1 - chance)) * regularity };
}

/** The share of hits that as many requests would have at random times. */
function chanceOf(times: readonly number[], ms: number, tolerance: number): number {
  let active = ms;
  for (const [i, time] of times.entries()) {
    active += Math.min(time - (times[i - 1] ?? time), PAUSE * ms);
  }
  const perMs = times.length / active;
  // Some request within the window, where there is one within reach at all.
  const inWindow = 1 - Math.exp(-2 * tolerance * perMs);
  const inReach = 1 - Math.exp(-(REACH * ms + tolerance) * perMs);
  return Math.min(1, inWindow / inReach);
}
