import type { Seen } from './seen.ts';
import { pageOf, senderOf } from './seen.ts';
import { kindOf } from './seen-kind.ts';

/*
 * Lines of access logs as Apache and nginx write them: common, combined, with the name of the host
 * before it, and with a duration at the end.
 */

/** One quoted field, whose quotes are escaped as `\"`. */
const QUOTED = '"((?:[^"\\\\]|\\\\.)*)"';
const LINE = new RegExp(
  [
    '^(?:(?<host>[A-Za-z0-9.-]+:\\d+) )?', // vhost_combined
    '(?<address>\\S+) \\S+ (?<user>.*?) ',
    '\\[(?<time>\\d{2}/[A-Z][a-z]{2}/\\d{4}:\\d{2}:\\d{2}:\\d{2} [+-]\\d{4})\\] ',
    `${QUOTED} (?<status>\\d{3}) (?<bytes>\\d+|-)`,
    `(?: ${QUOTED} ${QUOTED})?`,
    '(?<rest> .*)?$',
  ].join(''),
);
const REQUEST = /^([A-Z]+) (\S+)(?: HTTP\/[\d.]+)?$/;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const RESOLUTION_MS = 1_000;

/** Read one line of an access log; `undefined` when it is none. */
export function readLogLine(line: string): Seen | undefined {
  const match = LINE.exec(line);
  if (!match?.groups) return undefined;
  const { address = '', user = '', time = '', status = '', bytes = '', rest = '' } = match.groups;
  const [, , , , , request = '', , , referer, userAgent] = match;
  const [, method = '', sent = ''] = REQUEST.exec(request) ?? [];
  const target = targetOf(sent);
  const endOrStart = timeOf(time);
  if (target === undefined || endOrStart === undefined) return undefined;
  const duration = durationOf(rest);
  const kind = kindOf(target, undefined);
  return {
    // nginx writes the time at which it was done, Apache the one at which it came.
    atMs: duration?.isSeconds ? endOrStart - duration.ms : endOrStart,
    resolutionMs: RESOLUTION_MS,
    client: `${address} ${user} ${userAgent ?? ''}`,
    host: '',
    method,
    target,
    status: Number(status),
    durationMs: duration?.ms,
    bytes: sizeOf(bytes, status),
    kind: status === '101' ? 'push' : kind,
    page: pageOf(referer),
    sender: senderOf(userAgent),
  };
}

/** Path and query; absolute URLs are those of proxies. */
function targetOf(sent: string): string | undefined {
  if (sent.startsWith('/')) return sent;
  const [, rest] = /^https?:\/\/[^/]+(\/.*)$/i.exec(sent) ?? [];
  return rest;
}

function sizeOf(bytes: string, status: string): number | undefined {
  if (status === '204') return 0;
  return bytes === '-' ? undefined : Number(bytes);
}

/** `10/Oct/2026:13:55:36 -0700` in milliseconds since 1970. */
function timeOf(text: string): number | undefined {
  const [day, month, year, hour, minute, second] = [
    Number(text.slice(0, 2)),
    MONTHS.indexOf(text.slice(3, 6)) / 3,
    Number(text.slice(7, 11)),
    Number(text.slice(12, 14)),
    Number(text.slice(15, 17)),
    Number(text.slice(18, 20)),
  ];
  if (!Number.isInteger(month) || month < 0) return undefined;
  const zone = Number(text.slice(22, 24)) * 60 + Number(text.slice(24, 26));
  const offset = text[21] === '-' ? zone : -zone;
  return Date.UTC(year, month, day, hour, minute + offset, second);
}

/**
 * A duration behind the other fields: `0.123` or `rt=0.123` are the seconds of nginx, one whole number
 * alone the microseconds of Apache (`%D`). Two of those are sizes.
 */
function durationOf(
  rest: string,
): { readonly ms: number; readonly isSeconds: boolean } | undefined {
  const seconds = /(?:^|[\s"=])(\d+\.\d{3})(?=["\s]|$)/.exec(rest)?.[1];
  if (seconds !== undefined) return { ms: Number(seconds) * 1_000, isSeconds: true };
  const numbers = rest.match(/(?<=^|\s)\d+(?=\s|$)/g) ?? [];
  const [micros] = numbers;
  return micros !== undefined && numbers.length === 1
    ? { ms: Number(micros) / 1_000, isSeconds: false }
    : undefined;
}
