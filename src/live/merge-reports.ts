import type { DiscoveryReport } from '../shared/discovery-report.ts';
import type { Explanation, ShadowReport } from '../shared/explanation.ts';
import type { EdgeReport, SubscriberCounts } from './hub-messages.ts';

/*
 * What several edges say, as one process would have said it.
 */

/** What becomes of a request; `undefined` when no edge has answered. */
export function mergeExplanations(reports: readonly EdgeReport[]): Explanation | undefined {
  const all = reports.flatMap(({ explanation }) => explanation ?? []);
  const [first] = all;
  if (!first) return undefined;
  // Pages are sent by whichever edge is asked: one that has sent it knows more.
  const told = all.flatMap(({ inject }) => inject ?? []);
  const inject = told.find(({ injected }) => injected !== 'unknown') ?? told[0];
  const shadows = all.flatMap(({ shadow }) => shadow ?? []);
  return {
    ...first,
    ...(inject ? { inject } : {}),
    ...(shadows.length > 0 ? { shadow: shadows.reduce(addShadows) } : {}),
  };
}

/** Subscribers of all edges together, by key, by transport. */
export function mergeSubscribers(reports: readonly EdgeReport[]): Record<string, SubscriberCounts> {
  const sums: Record<string, SubscriberCounts> = {};
  for (const { subscribers = {} } of reports) {
    for (const [key, counts] of Object.entries(subscribers)) {
      sums[key] = addCounts(sums[key] ?? {}, counts);
    }
  }
  return sums;
}

/** Connections are spread over the edges, so that each has seen a sample: the largest one. */
export function mergeTraffic(reports: readonly EdgeReport[]): DiscoveryReport | undefined {
  const [most, ...others] = reports
    .flatMap(({ traffic }) => traffic ?? [])
    .sort((a, b) => b.looked.requests - a.looked.requests);
  if (!most || others.length === 0) return most;
  const note = `Seen by one of ${others.length + 1} workers: all of them together have seen about so many times as much.`;
  return { ...most, notes: [...most.notes, note] };
}

function addShadows(a: ShadowReport, b: ShadowReport): ShadowReport {
  return {
    requests: a.requests + b.requests,
    saved: a.saved + b.saved,
    matched: a.matched + b.matched,
    mismatched: a.mismatched + b.mismatched,
    incomparable: addCounts(a.incomparable, b.incomparable),
  };
}

function addCounts(a: SubscriberCounts, b: SubscriberCounts): SubscriberCounts {
  const sums: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) sums[name] = (sums[name] ?? 0) + count;
  return sums;
}
