import type { PolledKind } from '../shared/discovery-report.ts';
import { kindOfSeries } from './classify.ts';
import { patternsOf } from './path-groups.ts';
import type { Rhythm } from './rhythm.ts';
import { findRhythm } from './rhythm.ts';
import type { Series } from './series.ts';
import { seriesOf } from './series.ts';
import type { Shape } from './shape.ts';
import { median } from './statistics.ts';

/** Requests for one thing that follow each other in a rhythm. */
export interface PolledSeries {
  readonly series: Series;
  /** `undefined` of what is pushed. */
  readonly rhythm: Rhythm | undefined;
  readonly kind: PolledKind;
}

/** What is polled in one way, under one path or under several of one shape. */
export interface PolledGroup {
  readonly pattern: string;
  readonly method: string;
  readonly kind: PolledKind;
  readonly intervalMs: number | undefined;
  readonly members: readonly PolledSeries[];
  /** Requests for the same paths by the same method that are not polled. */
  readonly others: readonly Series[];
}

/** Intervals that differ by less are one. */
const SAME = 0.2;
/** How long after a page what belongs to it is asked for. */
const COMPANION_MS = 5_000;
const NEARLY_ALL = 0.8;

/** What became of one kind of requests. */
export interface JudgedShape {
  readonly polled: readonly PolledSeries[];
  readonly others: readonly Series[];
}

/** Find what is polled among requests of one kind. @param pages - Paths that requests were sent from. */
export function judgeShape(shape: Shape, pages: ReadonlySet<string>): JudgedShape {
  const polled: PolledSeries[] = [];
  const others: Series[] = [];
  const isPushed = shape.counts.pushes * 2 > shape.count;
  for (const series of seriesOf(shape)) {
    const rhythm = isPushed ? undefined : findRhythm(series);
    if (rhythm) polled.push({ series, rhythm, kind: kindOfSeries(series, rhythm, { pages }) });
    else if (isPushed) polled.push({ series, rhythm: undefined, kind: 'push' });
    else others.push(series);
  }
  return { polled, others };
}

/** Put together what is polled in one way. */
export function groupPolled(judged: readonly JudgedShape[]): PolledGroup[] {
  const polled = judged.flatMap((one) => one.polled);
  const others = new Map<string, Series[]>();
  for (const series of judged.flatMap((one) => one.others)) {
    const key = `${series.shape.method} ${series.shape.path}`;
    others.set(key, [...(others.get(key) ?? []), series]);
  }
  const refreshes = polled.filter(({ kind }) => kind === 'refresh');
  const own = polled.filter((one) => !refreshes.some((page) => comesWith(one, page)));
  return groupsOf(own).map((group) => {
    const paths = new Set(group.members.map(({ series }) => series.shape.path));
    const near = [...paths].flatMap((path) => others.get(`${group.method} ${path}`) ?? []);
    return { ...group, others: near };
  });
}

/** Is it asked for because the page was loaded again, each time? */
function comesWith(one: PolledSeries, page: PolledSeries): boolean {
  if (one === page || one.kind === 'refresh' || !one.rhythm || !page.rhythm) return false;
  const loads = new Map(page.series.clients.map(({ track, events }) => [track.name, events]));
  let follows = 0;
  let total = 0;
  const withinMs = Math.min(COMPANION_MS, (page.rhythm.intervalMs ?? 0) / 3);
  for (const { track, events } of one.rhythm.clients) {
    const resolutionMs = one.series.shape.resolutionMs;
    const starts = loads.get(track.name) ?? [];
    for (const { atMs } of events) {
      total += 1;
      const isAfter = starts.some(
        (load) => atMs >= load.atMs - resolutionMs && atMs - load.atMs <= withinMs,
      );
      if (isAfter) follows += 1;
    }
  }
  return follows >= NEARLY_ALL * total;
}

function groupsOf(polled: readonly PolledSeries[]): Omit<PolledGroup, 'others'>[] {
  const classes = new Map<string, PolledSeries[]>();
  for (const one of polled) {
    const { method } = one.series.shape;
    const key = `${method} ${one.kind}`;
    classes.set(key, [...(classes.get(key) ?? []), one]);
  }
  return [...classes.values()].flatMap((members) => {
    const patterns = patternsOf(members.map(({ series }) => series.shape.path));
    const byPattern = new Map<string, PolledSeries[]>();
    for (const one of members) {
      const pattern = patterns.get(one.series.shape.path) ?? one.series.shape.path;
      byPattern.set(pattern, [...(byPattern.get(pattern) ?? []), one]);
    }
    return [...byPattern].flatMap(([pattern, some]) =>
      mergeTabs(byInterval(some), pattern).map((same) => ({
        pattern,
        method: same[0]?.series.shape.method ?? 'GET',
        kind: same[0]?.kind ?? 'poll',
        intervalMs: same[0]?.rhythm?.intervalMs === undefined ? undefined : intervalOf(same),
        members: same,
      })),
    );
  });
}

/** Those with about the same interval together. */
function byInterval(members: readonly PolledSeries[]): PolledSeries[][] {
  const sorted = members.toSorted((a, b) => lengthOf(a) - lengthOf(b));
  const groups: PolledSeries[][] = [];
  for (const one of sorted) {
    const group = groups.at(-1);
    const [first] = group ?? [];
    if (group && first && lengthOf(one) <= lengthOf(first) * (1 + SAME)) group.push(one);
    else groups.push([one]);
  }
  return groups;
}

/**
 * Of things that few look at two tabs of one client may seem to be one with half the interval: where
 * others of the same shape tell better, they decide.
 */
function mergeTabs(groups: PolledSeries[][], pattern: string): PolledSeries[][] {
  if (groups.length < 2 || !pattern.includes('/:id')) return groups;
  const [main = [], ...others] = groups.toSorted((a, b) => b.length - a.length);
  const ms = intervalOf(main);
  const isTabs = (group: PolledSeries[]) =>
    group.length * 2 <= main.length && group.every((one) => lengthOf(one) < ms);
  return [[...main, ...others.filter(isTabs).flat()], ...others.filter((one) => !isTabs(one))];
}

function lengthOf({ rhythm }: PolledSeries): number {
  return rhythm?.intervalMs ?? 0;
}

/** Each client counts the same. */
function intervalOf(members: readonly PolledSeries[]): number {
  return median(members.flatMap((one) => (one.rhythm?.clients ?? []).map(() => lengthOf(one))));
}
