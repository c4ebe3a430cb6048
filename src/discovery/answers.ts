import type { PolledSharing, PolledUrl } from '../shared/discovery-report.ts';
import type { Rhythm } from './rhythm.ts';
import type { Series } from './series.ts';
import { median } from './statistics.ts';
import type { Event } from './track.ts';
import { isSize, NOT_MODIFIED, UNKNOWN_ANSWER } from './track.ts';

/** Answers that were compared. */
interface Compared {
  readonly pairs: number;
  readonly same: number;
  readonly bySize: number;
}

/** Of fewer pairs nothing is said. */
const MIN_PAIRS = 6;
/** So much less often the same between clients as between polls of one of them. */
const PERSONAL = 0.3;
const ALIKE = 0.9;
/** Of sizes alone only these tell something: a constant size is no content. */
const MIN_SIZES = 2;

/** How often an answer was the same as the one before. */
export function findUnchanged({ clients }: Rhythm): PolledUrl['unchanged'] {
  const compared = sum(clients.map(({ events }) => withinClient(events)));
  if (compared.pairs < MIN_PAIRS) return undefined;
  const by = compared.bySize > compared.pairs / 2 ? 'size' : 'content';
  return { share: compared.same / compared.pairs, by };
}

/** Whether clients get the same, by what the headers say and by what they got. */
export function findSharing(
  series: Series,
  rhythm: Rhythm,
  { hasCredentials }: { readonly hasCredentials: boolean },
): PolledSharing {
  const { counts } = series.shape;
  const hasPrivacy = counts.setsCookie + counts.isPrivate + counts.varies > 0;
  const credentials = credentialsOf(series, hasCredentials);
  const seen = betweenClients(rhythm);
  const said = [
    ...(counts.setsCookie > 0 ? ['answers set cookies'] : []),
    ...(counts.isPrivate > 0 ? ['answers say Cache-Control: private'] : []),
    ...(counts.varies > 0 ? ['answers vary on credentials'] : []),
  ];
  if (seen.kind === 'personal') return { kind: 'personal', reasons: [seen.reason, ...said] };
  if (credentials === 'none') {
    return { kind: 'public', reasons: ['no request had a cookie or authorization', ...said] };
  }
  if (hasPrivacy) return { kind: 'personal', reasons: [...said, ...whoAsks(credentials)] };
  const reasons = [...whoAsks(credentials), ...(seen.reason === '' ? [] : [seen.reason])];
  return { kind: seen.kind === 'alike' ? 'alike' : 'unknown', reasons };
}

type Credentials = 'none' | 'some' | 'unknown';

function credentialsOf({ shape: { counts } }: Series, hasCredentials: boolean): Credentials {
  if (counts.cookies + counts.authorization > 0) return 'some';
  const isKnown = counts.headersKnown > 0 && (counts.doubtful === 0 || hasCredentials);
  return isKnown ? 'none' : 'unknown';
}

function whoAsks(credentials: Credentials): string[] {
  if (credentials === 'some') return ['requests carry credentials'];
  return credentials === 'unknown' ? ['cookies are not written down'] : [];
}

/** Do clients get the same at nearly the same time? */
function betweenClients({ clients, intervalMs = 0 }: Rhythm): {
  readonly kind: 'personal' | 'alike' | 'unknown';
  readonly reason: string;
} {
  const unknown = { kind: 'unknown', reason: '' } as const;
  if (clients.length < 2) return { ...unknown, reason: 'there was one client only' };
  const all = clients.flatMap(({ events }, client) =>
    events.filter(isComparable).map((event) => ({ event, client })),
  );
  all.sort((a, b) => a.event.atMs - b.event.atMs);
  const windowMs = Math.max(1_000, intervalMs / 2);
  const pairs = all.flatMap(({ event, client }, i) => {
    const before = all[i - 1];
    if (!before || before.client === client) return [];
    return event.atMs - before.event.atMs <= windowMs ? [[before.event, event] as const] : [];
  });
  if (pairs.length < MIN_PAIRS) return unknown;
  const others = pairs.filter(([a, b]) => a.answer === b.answer).length / pairs.length;
  const own = sum(clients.map(({ events }) => withinClient(events.filter(isComparable))));
  const ownShare = own.pairs === 0 ? 0 : own.same / own.pairs;
  const areSizes = pairs.some(([a]) => isSize(a.answer));
  const by = areSizes ? 'sizes' : 'contents';
  if (others < ownShare - PERSONAL) {
    return { kind: 'personal', reason: `clients got different ${by} at the same time` };
  }
  const distinct = new Set(all.map(({ event }) => event.answer)).size;
  const isTelling = distinct >= (areSizes ? MIN_SIZES : 1);
  if (others < ALIKE || clients.length < 3 || !isTelling) return unknown;
  return { kind: 'alike', reason: `clients got the same ${by} at the same time` };
}

/** Answers to one client, each with the one before. */
function withinClient(events: readonly Event[]): Compared {
  let last: number | undefined;
  const compared = { pairs: 0, same: 0, bySize: 0 };
  for (const { answer } of events) {
    if (answer === UNKNOWN_ANSWER) continue;
    if (answer === NOT_MODIFIED || last !== undefined) {
      compared.pairs += 1;
      if (answer === NOT_MODIFIED || answer === last) compared.same += 1;
      if (isSize(answer)) compared.bySize += 1;
    }
    if (answer !== NOT_MODIFIED) last = answer;
  }
  return compared;
}

function isComparable({ answer }: Event): boolean {
  return answer !== UNKNOWN_ANSWER && answer !== NOT_MODIFIED;
}

function sum(all: readonly Compared[]): Compared {
  return all.reduce(
    (a, b) => ({ pairs: a.pairs + b.pairs, same: a.same + b.same, bySize: a.bySize + b.bySize }),
    { pairs: 0, same: 0, bySize: 0 },
  );
}

/** How large an answer is, and whether all were the same small one. */
export function sizesOf({ clients }: Series): {
  readonly medianBytes: number;
  readonly isTinyConstant: boolean;
} {
  const sized = clients
    .flatMap(({ events }) => events)
    .filter(({ answer, bytes }) => answer !== NOT_MODIFIED && !Number.isNaN(bytes));
  const medianBytes = median(sized.map(({ bytes }) => bytes));
  const isConstant =
    new Set(sized.map(({ bytes }) => bytes)).size === 1 &&
    new Set(sized.map(({ answer }) => answer)).size === 1;
  return { medianBytes, isTinyConstant: isConstant && medianBytes <= TINY_BYTES };
}

/** "ok", "{}", a pixel: nothing that a page could show. */
const TINY_BYTES = 64;
