import type { PolledUrl } from '../shared/discovery-report.ts';
import { MIN_REQUESTS } from './period.ts';
import type { Shape } from './shape.ts';
import type { Traffic, TrafficSource } from './traffic.ts';

/** What notes are made of. */
export interface Noted {
  readonly traffic: Traffic;
  readonly host: string;
  readonly shapes: readonly Shape[];
  readonly found: readonly PolledUrl[];
  readonly source: TrafficSource;
}

/** Six periods of the intervals that are usual. */
const SHORT_MS = 60_000;
/** So many requests of hardly any clients come through somebody else. */
const MANY = 200;

/** What a person should know besides what was found. */
export function discoveryNotes(noted: Noted): string[] {
  return [
    ...elsewhere(noted),
    ...partly(noted),
    ...(isAnythingPolled(noted) ? [] : whyNothing(noted)),
  ];
}

function isAnythingPolled({ found }: Noted): boolean {
  return found.some(({ kind }) => kind !== 'push' && kind !== 'monitor');
}

function partly({ source: { oneIn = 1 } }: Noted): string[] {
  return oneIn === 1
    ? []
    : [
        `so much was going on that at times one in ${oneIn} clients was watched: requests are projected`,
      ];
}

function elsewhere({ traffic, host }: Noted): string[] {
  const others = [...traffic.hosts].filter(([name]) => name !== host);
  if (others.length === 0) return [];
  const requests = others.reduce((sum, [, count]) => sum + count.requests, 0);
  const names = others
    .slice(0, 3)
    .map(([name]) => name)
    .join(', ');
  const more = others.length > 3 ? ', …' : '';
  return [`${requests} requests went to other hosts and were left out: ${names}${more}`];
}

function whyNothing({ traffic, shapes, source }: Noted): string[] {
  const { requests, lastMs, firstMs, clients } = traffic;
  const from = source.kind === 'files' ? 'recorded' : 'seen';
  if (requests === 0) return [`nothing is polled: no request was ${from}`];
  const reasons: string[] = [];
  const spanMs = lastMs - firstMs;
  if (spanMs < SHORT_MS) {
    reasons.push(
      `it was ${from} for ${Math.round(spanMs / 1_000)} s only: a page has to stay open for six of its intervals, five minutes as a rule`,
    );
  }
  const often = shapes.some(({ tracks }) =>
    [...tracks.values()].some(({ total }) => total >= MIN_REQUESTS),
  );
  if (!often) {
    reasons.push(`no client asked for anything ${MIN_REQUESTS} times: was the page left open?`);
  }
  if (
    clients <= 2 &&
    requests > MANY &&
    source.kind === 'files' &&
    shapes.some(({ resolutionMs }) => resolutionMs > 1)
  ) {
    reasons.push(
      'all requests have one or two addresses: behind another proxy, log the address of the client (X-Forwarded-For)',
    );
  }
  if (reasons.length === 0)
    reasons.push('nobody asks for the same again and again at steady times');
  return reasons.map((reason) => `nothing is polled: ${reason}`);
}
