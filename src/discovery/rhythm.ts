import type { Period } from './period.ts';
import { findPeriod, MIN_REQUESTS } from './period.ts';
import type { ClientSeries, Series } from './series.ts';
import { deviation, median } from './statistics.ts';
import type { Event } from './track.ts';

/** How requests for one thing follow each other. */
export interface Rhythm {
  readonly kind: 'fixed' | 'after-answer' | 'long-poll';
  /** Median of the clients' periods; of long polls nothing. */
  readonly intervalMs: number | undefined;
  readonly confidence: number;
  /** Those whose requests have it. */
  readonly clients: readonly ClientSeries[];
}

/** A client's requests are no accident from here on. */
const CLEAR = 0.3;
/** From here on it is told. */
const SURE = 0.5;
/** Periods of clients that differ by less are the same. */
const SAME = 0.2;
/** Browsers call the timers of hidden pages once a minute. */
const HIDDEN_MS = 60_000;
const HIDDEN_TOLERANCE = 0.05;

const LONG_MS = 2_000;
/** From an answer to the next request, as whole seconds and slow scripts have it. */
const AT_ONCE_MS = 300;
const MIN_LONG_POLLS = 4;

/** Find the rhythm of requests for one thing, as all its clients together show it. */
export function findRhythm({ clients, shape }: Series): Rhythm | undefined {
  const often = clients.filter(({ events }) => events.length >= MIN_REQUESTS);
  const held = clients.filter(({ events }) => areLongPolls(events, shape.resolutionMs));
  if (held.length > 0 && held.length * 2 >= often.length) {
    return { kind: 'long-poll', intervalMs: undefined, confidence: 1, clients: held };
  }
  const rated = often.flatMap((client) => {
    const times = client.events.map(({ atMs }) => atMs);
    const period = findPeriod(times, shape.resolutionMs);
    return period && period.score >= CLEAR ? [{ client, period }] : [];
  });
  if (rated.length === 0) return undefined;
  const { periodMs, agreement } = agree(rated.map(({ period }) => period));
  const confidence =
    median(rated.map(({ period }) => period.score)) *
    // People reload a page, and some of them at steady times: most who come again have to.
    Math.min(1, rated.length / often.length / 0.5) *
    agreement;
  if (confidence < SURE) return undefined;
  const kind = waitsForAnswers(rated, periodMs) ? 'after-answer' : 'fixed';
  return { kind, intervalMs: periodMs, confidence, clients: rated.map(({ client }) => client) };
}

/** The period of all, and the share of clients that have it. */
function agree(periods: readonly Period[]): { periodMs: number; agreement: number } {
  const visible = periods.filter(({ ms }) => !isHidden(ms));
  const counted = visible.length > 0 ? visible : periods;
  const periodMs = median(counted.map(({ ms }) => ms));
  const same = counted.filter(({ ms }) => Math.abs(ms - periodMs) <= SAME * periodMs);
  return { periodMs, agreement: same.length / counted.length };
}

function isHidden(ms: number): boolean {
  return Math.abs(ms - HIDDEN_MS) <= HIDDEN_TOLERANCE * HIDDEN_MS;
}

/** Does the server keep requests until it has something to say, and the client ask again at once? */
function areLongPolls(events: readonly Event[], resolutionMs: number): boolean {
  const steps = pairs(events).filter(([before]) => !Number.isNaN(before.durationMs));
  if (steps.length < MIN_LONG_POLLS) return false;
  const long = steps.filter(([before, next]) => {
    const gapMs = next.atMs - before.atMs - before.durationMs;
    const atOnceMs = Math.max(AT_ONCE_MS, resolutionMs);
    return before.durationMs >= LONG_MS && Math.abs(gapMs) <= atOnceMs;
  });
  return long.length >= 0.7 * steps.length;
}

/** Is the time from an answer to the next request steadier than that between requests? */
function waitsForAnswers(
  rated: readonly { readonly client: ClientSeries }[],
  periodMs: number,
): boolean {
  const votes = rated.flatMap(({ client }) => {
    const steps = pairs(client.events).filter(
      ([before, next]) =>
        !Number.isNaN(before.durationMs) &&
        Math.abs(next.atMs - before.atMs - periodMs) < 0.5 * periodMs,
    );
    if (steps.length < MIN_LONG_POLLS) return [];
    const fromStart = deviation(steps.map(([before, next]) => next.atMs - before.atMs));
    const fromEnd = deviation(
      steps.map(([before, next]) => next.atMs - before.atMs - before.durationMs),
    );
    return [fromEnd < 0.6 * fromStart && fromStart > 0.002 * periodMs];
  });
  return votes.filter(Boolean).length * 2 > votes.length;
}

function pairs(events: readonly Event[]): (readonly [before: Event, next: Event])[] {
  return events.flatMap((next, i) => {
    const before = events[i - 1];
    return before ? [[before, next] as const] : [];
  });
}
