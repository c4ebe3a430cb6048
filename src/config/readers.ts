import { isIP } from 'node:net';
import type { PathPattern } from '../shared/path-pattern.ts';
import { parsePattern, patternProblem } from '../shared/path-pattern.ts';
import { formatDuration, parseDuration } from './units.ts';

/*
 * Each reader turns the text of one kind of value into what the code works with, or says what is
 * wrong with it.
 */

/** Polling faster than this would be an attack on the upstream. */
const SHORTEST_INTERVAL_MS = 50;

/** Node's timers overflow at 24.8 days and then fire at once. */
const LONGEST_DURATION_MS = 24 * 3_600_000;

/** Say that a duration is shorter than it may be, or longer than a timer holds. */
export function rangeProblem(
  ms: number,
  minMs: number,
  maxMs: number = LONGEST_DURATION_MS,
): { problem: string } | undefined {
  if (ms < minMs) return { problem: `must be at least "${formatDuration(minMs)}"` };
  if (ms <= maxMs) return undefined;
  const most = maxMs === LONGEST_DURATION_MS ? '24h' : formatDuration(maxMs);
  return { problem: `must be at most "${most}"` };
}

/** How often a live endpoint is polled: fixed when both are equal. */
export interface Interval {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Read `2s`, or `1s..30s`. */
export function readInterval(value: string): Interval | { problem: string } {
  const [low = '', high = low, ...rest] = value.split('..');
  const minMs = parseDuration(low.trim());
  const maxMs = parseDuration(high.trim());
  if (minMs === undefined || maxMs === undefined || rest.length > 0) {
    return { problem: 'must be a duration such as "2s", or two such as "1s..30s"' };
  }
  const outOfRange = rangeProblem(minMs, SHORTEST_INTERVAL_MS) ?? rangeProblem(maxMs, 0);
  if (outOfRange) return outOfRange;
  if (maxMs < minMs)
    return { problem: `must go from the shorter to the longer: "${high}..${low}"` };
  return { minMs, maxMs };
}

/** Read a share such as `5%`, as a number from 0 to 1. */
export function readShare(value: string): number | { problem: string } {
  const match = /^(\d{1,3}(?:\.\d{1,3})?)\s*%$/.exec(value.trim());
  const percent = Number(match?.[1]);
  return match && percent <= 100
    ? percent / 100
    : { problem: 'must be a share from "0%" to "100%", such as "5%"' };
}

/** Read a path pattern. */
export function readPathPattern(value: string): PathPattern | { problem: string } {
  const problem = patternProblem(value);
  return problem ? { problem } : parsePattern(value);
}

/** Read the URL of a site, which has no path. */
export function readSiteUrl(value: string): URL | { problem: string } {
  const example = 'must be an http or https URL such as "http://127.0.0.1:3000"';
  if (!URL.canParse(value)) return { problem: example };
  const url = new URL(value);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return { problem: example };
  if (url.username || url.password) return { problem: 'must not hold a user name or password' };
  if (url.pathname !== '/' || url.search || url.hash || /[?#]/.test(value)) {
    return { problem: `must not have a path, the site keeps its own: try "${url.origin}"` };
  }
  return url;
}

/** Where to accept connections. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string | undefined; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  /** A socket that listens already, handed over by whoever started us. */
  | { readonly kind: 'fd'; readonly fd: number };

/** Read `127.0.0.1:8080`, `[::1]:8080`, `:8080`, `8080`, `unix:/run/x.sock` or `fd:3`. */
export function readListenAddress(value: string): ListenAddress | { problem: string } {
  if (value.startsWith('fd:')) {
    const number = value.slice('fd:'.length);
    // 0 to 2 are the input and the outputs.
    return /^(?:[3-9]|[1-9]\d{1,4})$/.test(number)
      ? { kind: 'fd', fd: Number(number) }
      : { problem: 'must be the number of an inherited socket, such as "fd:3"' };
  }
  if (value.startsWith('unix:')) {
    const path = value.slice('unix:'.length);
    return path.startsWith('/')
      ? { kind: 'unix', path }
      : { problem: 'must be an absolute path, such as "unix:/run/comet-proxy.sock"' };
  }
  const match = /^(?:(?:\[([^\]]+)\]|([^:]*)):)?(\d{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  const isHost = match?.[1] ? isIP(match[1]) === 6 : !host || /^[\w.-]+$/.test(host);
  if (!match || !isHost || port > 65_535) {
    return {
      problem: 'must be an address such as "127.0.0.1:8080", ":8080" or "unix:/run/x.sock"',
    };
  }
  return { kind: 'tcp', host: host || undefined, port };
}

/** Read an origin, as browsers write it. */
export function readOrigin(value: string): string | { problem: string } {
  const example = 'must be an origin such as "https://partner.example"';
  if (!URL.canParse(value)) return { problem: example };
  const { origin, protocol } = new URL(value);
  if (protocol !== 'http:' && protocol !== 'https:') return { problem: example };
  return origin === value.toLowerCase() ? origin : { problem: `${example}: try "${origin}"` };
}

/** Read an address, a network such as `10.0.0.0/8`, or `unix`. */
export function readNetwork(value: string): string | { problem: string } {
  if (value === 'unix') return value;
  const [address = '', prefix, ...rest] = value.split('/');
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  const valid =
    family !== 0 &&
    rest.length === 0 &&
    (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= longest));
  return valid
    ? value
    : { problem: 'must be an address or network such as "10.0.0.0/8" or "::1", or "unix"' };
}

/** Read the URL of a Comet origin: scheme, host, port and path. */
export function readOriginUrl(value: string): URL | { problem: string } {
  const example = 'must be an http or https URL such as "https://push.example.net/bayeux/"';
  if (!URL.canParse(value)) return { problem: example };
  const url = new URL(value);
  if (url.protocol === 'ws:' || url.protocol === 'wss:') {
    const likely = value.replace(/^ws/i, 'http');
    return { problem: `must be an http or https URL, also for WebSocket: try "${likely}"` };
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return { problem: example };
  if (url.username || url.password) return { problem: 'must not hold a user name or password' };
  if (/[?#]/.test(value)) return { problem: 'must end with its path: no "?" and no "#"' };
  return url;
}
