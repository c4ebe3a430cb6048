import type { PolledKind } from '../shared/discovery-report.ts';
import { sizesOf } from './answers.ts';
import type { Rhythm } from './rhythm.ts';
import type { Series } from './series.ts';

const HEARTBEAT =
  /(?:^|[/_.-])(?:ping|pong|heart_?beat|keep_?-?alive|alive|touch|session-?check|beat)(?:[/_.-]|$)/i;
const HEALTH =
  /(?:^|\/)(?:health(?:z|check)?|livez|readyz|ready|live|status\/health|_health|server-status|nginx_status|metrics)(?:\/|$)/i;
const MOST = 0.5;
const FEW_CLIENTS = 2;

/** What is known of all the traffic. */
export interface Surroundings {
  /** Paths that requests were sent from. */
  readonly pages: ReadonlySet<string>;
}

/** What is polled, by who polls it and what comes back. */
export function kindOfSeries(series: Series, rhythm: Rhythm, { pages }: Surroundings): PolledKind {
  const { shape } = series;
  const { counts } = shape;
  if (isMonitored(series, rhythm, pages.size > 0)) return 'monitor';
  if (rhythm.kind === 'long-poll') return 'long-poll';
  if (isHeartbeat(series)) return 'heartbeat';
  if (counts.images > MOST * shape.count) return 'image';
  if (counts.pages > MOST * shape.count || (counts.pages === 0 && pages.has(shape.path))) {
    return 'refresh';
  }
  return rhythm.kind === 'after-answer' ? 'poll-after-answer' : 'poll';
}

/** Programs that look after a site, and those that walk through it, are no pages. */
function isMonitored({ shape }: Series, { clients }: Rhythm, areRefererKnown: boolean): boolean {
  const { counts, path } = shape;
  if (counts.robots > MOST * shape.count) return true;
  if (counts.referers > 0 || counts.fromPages > MOST * shape.count) return false;
  const isProgram = counts.programs > MOST * shape.count;
  if (HEALTH.test(path) && !(counts.browsers > MOST * shape.count)) return true;
  // A page says where it is, where others do.
  return clients.length <= FEW_CLIENTS && (isProgram || areRefererKnown);
}

/** It tells the site that the page is still there: without it sessions would end. */
function isHeartbeat(series: Series): boolean {
  const { shape } = series;
  const { isTinyConstant, medianBytes } = sizesOf(series);
  if (medianBytes === 0) return true;
  if (!isTinyConstant) return false;
  return shape.method === 'POST' || HEARTBEAT.test(shape.path);
}
