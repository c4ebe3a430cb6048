import type { DiscoveryReport, PolledSharing, PolledUrl } from '../shared/discovery-report.ts';
import { redactUrl } from '../shared/logger.ts';
import { findSharing, findUnchanged, sizesOf } from './answers.ts';
import type { Found } from './config-fragment.ts';
import { configFragment, roundInterval } from './config-fragment.ts';
import type { Noted } from './notes.ts';
import { discoveryNotes } from './notes.ts';
import { obstacleOf } from './obstacle.ts';
import { parametersOf } from './parameters.ts';
import type { JudgedShape, PolledGroup, PolledSeries } from './polled.ts';
import { groupPolled, judgeShape } from './polled.ts';
import type { Shape } from './shape.ts';
import { median } from './statistics.ts';
import type { Traffic, TrafficSource } from './traffic.ts';

const MAX_PAGES = 3;
/** Clients of kinds of requests that are judged in one piece: some milliseconds. */
const PIECE = 32;
/** Shorter spans say nothing about a rate. */
const MIN_SPAN_MS = 1_000;

/** Say what is polled in this traffic, and how it could be pushed. */
export function discover(traffic: Traffic, source: TrafficSource): DiscoveryReport {
  const { shapes, pages, host } = ownTraffic(traffic);
  const judged = shapes.map((shape) => judgeShape(shape, pages));
  return reportOf(judged, { traffic, source, host, shapes });
}

/** The same, in pieces between which others have their turn. */
export async function discoverInPieces(
  traffic: Traffic,
  source: TrafficSource,
  pause: () => Promise<void>,
): Promise<DiscoveryReport> {
  const { shapes, pages, host } = ownTraffic(traffic);
  const judged: JudgedShape[] = [];
  let tracks = 0;
  for (const shape of shapes) {
    judged.push(judgeShape(shape, pages));
    tracks += shape.tracks.size;
    if (tracks < PIECE) continue;
    tracks = 0;
    await pause();
  }
  return reportOf(judged, { traffic, source, host, shapes });
}

/** What the site itself was asked for. */
function ownTraffic(traffic: Traffic): {
  readonly host: string;
  readonly shapes: readonly Shape[];
  readonly pages: ReadonlySet<string>;
} {
  const host = ownHost(traffic);
  const shapes = traffic.shapes().filter((shape) => shape.host === host);
  return { host, shapes, pages: new Set(shapes.flatMap((shape) => [...shape.pages.keys()])) };
}

function reportOf(
  judged: readonly JudgedShape[],
  { traffic, source, host, shapes }: Omit<Noted, 'found'>,
): DiscoveryReport {
  const found = groupPolled(judged)
    .map((group) => foundOf(group, traffic))
    .sort((a, b) => b.url.requests - a.url.requests);
  const config = configFragment(found);
  const spanMs = traffic.requests === 0 ? 0 : traffic.lastMs - traffic.firstMs;
  const { requests, clients, firstMs } = traffic;
  const from = source.kind === 'files' && requests > 0 ? { fromMs: firstMs } : {};
  const looked = { requests, clients, spanMs, ...from, unreadable: source.unreadable };
  const urls = found.map(({ url }) => url);
  return {
    looked,
    found: urls,
    notes: discoveryNotes({ traffic, host, shapes, found: urls, source }),
    ...(config === undefined ? {} : { config }),
  };
}

/** The host whose pages were asked for; of logs there is one, without a name. */
function ownHost({ hosts }: Traffic): string {
  const sorted = [...hosts].sort(([, a], [, b]) => b.pages - a.pages || b.requests - a.requests);
  return sorted[0]?.[0] ?? '';
}

function foundOf(group: PolledGroup, traffic: Traffic): Found {
  const { members, kind, method, pattern } = group;
  const shapes = [...new Set(members.map(({ series }) => series.shape))];
  const parameters = parametersOf(group, traffic.values);
  const obstacle = obstacleOf(group, parameters);
  const requests = members.reduce((sum, { series }) => sum + series.requests, 0);
  const sharing = sharingOf(members, traffic);
  const [largest] = members.toSorted((a, b) => b.series.requests - a.series.requests);
  const unchanged = largest?.rhythm && findUnchanged(largest.rhythm);
  const perSecond = ratesOf(group, { requests, sharing, spanMs: spanOf(shapes) });
  const bytes = largest ? sizesOf(largest.series).medianBytes : Number.NaN;
  const saved = bytes * (perSecond.now - perSecond.after);
  const url: PolledUrl = {
    path: redactUrl(pattern),
    method,
    kind,
    ...(group.intervalMs === undefined ? {} : { intervalMs: roundInterval(group.intervalMs) }),
    confidence: median(members.map(({ rhythm }) => rhythm?.confidence ?? 1)),
    variants: members.length,
    clients: clientsOf(members, shapes),
    requests,
    perSecond,
    ...(saved > 0 && obstacle === undefined ? { savedBytesPerSecond: saved } : {}),
    ...(unchanged ? { unchanged } : {}),
    sharing,
    parameters: parameters.map(({ isOpaque: _, ...parameter }) => parameter),
    pages: pagesOf(shapes),
    isLive: shapes.some(({ counts, count }) => counts.live * 2 > count),
    ...(obstacle === undefined ? {} : { obstacle }),
  };
  const sum = (name: keyof Shape['counts']) =>
    shapes.reduce((total, { counts }) => total + counts[name], 0);
  return {
    url,
    cookieNames: [...new Set(shapes.flatMap(({ cookieNames }) => [...cookieNames]))],
    hasAuthorization: sum('authorization') > 0,
    forbidsStoring: sum('noStore') + sum('isPrivate') > 0,
    setsCookies: sum('setsCookie') > 0,
    others: group.others.length,
  };
}

/** What is known least decides. */
function sharingOf(members: readonly PolledSeries[], traffic: Traffic): PolledSharing {
  const all = members.flatMap(({ series, rhythm }) =>
    rhythm ? [findSharing(series, rhythm, traffic)] : [],
  );
  for (const kind of ['personal', 'unknown', 'alike', 'public'] as const) {
    const same = all.filter((one) => one.kind === kind);
    if (same.length > 0) {
      return { kind, reasons: [...new Set(same.flatMap(({ reasons }) => reasons))] };
    }
  }
  return { kind: 'unknown', reasons: [] };
}

/** Counted where only one thing is asked for, else those that are remembered. */
function clientsOf(members: readonly PolledSeries[], shapes: readonly Shape[]): number {
  const names = new Set(
    members.flatMap(({ series }) => series.clients.map(({ track }) => track.name)),
  );
  const isWhole = shapes.length === 1 && members.length === 1;
  return Math.max(names.size, isWhole ? (shapes[0]?.clients ?? 0) : 0);
}

function spanOf(shapes: readonly Shape[]): number {
  const first = Math.min(...shapes.map(({ firstMs }) => firstMs));
  const last = Math.max(...shapes.map(({ lastMs }) => lastMs));
  return Math.max(last - first, MIN_SPAN_MS);
}

/** Where each session has to be polled for, the proxy saves nothing but second tabs. */
function ratesOf(
  { members, intervalMs }: PolledGroup,
  { requests, sharing, spanMs }: { requests: number; sharing: PolledSharing; spanMs: number },
): PolledUrl['perSecond'] {
  const now = (requests * 1_000) / spanMs;
  const isShared = sharing.kind === 'public' || sharing.kind === 'alike';
  if (!isShared || intervalMs === undefined) return { now, after: now };
  return { now, after: Math.min(now, (members.length * 1_000) / intervalMs) };
}

function pagesOf(shapes: readonly Shape[]): string[] {
  const counts = new Map<string, number>();
  for (const [page, count] of shapes.flatMap(({ pages }) => [...pages])) {
    counts.set(page, (counts.get(page) ?? 0) + count);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.slice(0, MAX_PAGES).map(([page]) => redactUrl(page));
}
