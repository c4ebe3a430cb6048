import { discover } from '../../src/discovery/discovery.ts';
import { bodyFields } from '../../src/discovery/request-fields.ts';
import type { Seen } from '../../src/discovery/seen.ts';
import { FILE_LIMITS, Traffic } from '../../src/discovery/traffic.ts';
import type { DiscoveryReport } from '../../src/shared/discovery-report.ts';

/** When all of these scenes begin. */
export const BEGIN_MS = Date.UTC(2026, 9, 12, 8, 0, 0);

/** A browser that asks for something by a timer. */
export interface Timer {
  readonly everyMs: number;
  readonly times?: number;
  readonly client?: string;
  /** From the beginning of the scene. */
  readonly startMs?: number;
  readonly target: string | ((i: number, atMs: number) => string);
  /** With what it asks by POST: JSON. */
  readonly body?: (i: number) => unknown;
  /** What else is known of each request. */
  readonly request?: Partial<Seen> | ((i: number) => Partial<Seen>);
}

const HEADERS = {
  cookies: [],
  hasAuthorization: false,
  mayLackCredentials: false,
  setsCookie: false,
  cacheControl: undefined,
  variesOnCredentials: false,
} as const;

/** Headers of which these are other than usual. */
export function headers(other: Partial<NonNullable<Seen['headers']>> = {}): Seen['headers'] {
  return { ...HEADERS, hasCookies: (other.cookies ?? []).length > 0, ...other };
}

/** The requests of a timer. */
export function ticks(timer: Timer): Seen[] {
  const { everyMs, times = 20, client = 'anna', startMs = 0, target, body, request = {} } = timer;
  return Array.from({ length: times }, (_, i): Seen => {
    const atMs = BEGIN_MS + startMs + i * everyMs;
    const posted = body && bodyFields(JSON.stringify(body(i)), 'application/json');
    return {
      atMs,
      resolutionMs: 1,
      client,
      host: '',
      method: body ? 'POST' : 'GET',
      target: typeof target === 'string' ? target : target(i, atMs),
      fields: posted,
      status: 200,
      durationMs: 8,
      bytes: 300,
      content: `state ${i >> 2}`,
      kind: 'data',
      page: '/page',
      sender: 'browser',
      headers: headers(),
      ...(typeof request === 'function' ? request(i) : request),
    };
  });
}

/** What is found in the requests of all these. */
export function discoverIn(...timers: readonly (Timer | readonly Seen[])[]): DiscoveryReport {
  const traffic = new Traffic({ limits: FILE_LIMITS, key: [11, 22], texts: 'keep' });
  const seen = timers.flatMap((one) => ('everyMs' in one ? ticks(one) : [...one]));
  for (const each of seen.sort((a, b) => a.atMs - b.atMs)) traffic.see(each);
  return discover(traffic, { kind: 'files', unreadable: 0 });
}

/** What was found, in short: `poll GET /a every 2000`. */
export function inShort({ found }: DiscoveryReport): string[] {
  return found
    .map(({ kind, method, path, intervalMs }) =>
      [kind, method, path, ...(intervalMs === undefined ? [] : [`every ${intervalMs}`])].join(' '),
    )
    .sort();
}
