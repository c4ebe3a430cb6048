import { gzipSync } from 'node:zlib';

/*
 * What is polled, and how the upstream answers: JSON of 1 or 100 KB, always the same or another one
 * each time. Shared by the upstream and by those who poll it without the proxy.
 */

/** One kind of upstream. */
export interface Case {
  readonly name: string;
  /** The polls' path is `/<key>/<number of the channel>`. */
  readonly key: string;
  /** What makes a poll conditional from the second one on. */
  readonly conditions: readonly string[];
  /** What the upstream answers to the first poll, and to the others. */
  readonly first: Buffer;
  readonly next: Buffer;
  /** Where a number stands in the answer that is another one each time. */
  readonly changesAt?: number;
  /** More would make it a measurement of the network. */
  readonly maxChannels: number;
}

/** Digits of a number that changes. */
export const CHANGING_DIGITS = 8;

const ETAG = '"0123456789abcdef"';
const CHANGING = '0'.repeat(CHANGING_DIGITS);
const JSON_BODY = Buffer.from(jsonOf(1_024));
const LARGE_BODY = Buffer.from(jsonOf(100 * 1_024));
const FEW_CHANNELS = 200;
const HEADERS = [
  'Date: Mon, 02 Nov 2026 10:00:00 GMT',
  'Content-Type: application/json; charset=utf-8',
  'Cache-Control: no-cache',
];

export const CASES: readonly Case[] = [
  caseOf('plain', '1 KB, 200 each time, without validators', {
    first: answer('200 OK', HEADERS, JSON_BODY),
  }),
  caseOf('etag', '1 KB, 304 by its ETag', {
    first: answer('200 OK', [...HEADERS, `ETag: ${ETAG}`], JSON_BODY),
    next: answer('304 Not Modified', [...HEADERS.slice(0, 1), `ETag: ${ETAG}`]),
    conditions: ['if-none-match', ETAG],
  }),
  caseOf('gzip', '1 KB, 200 each time, gzip', {
    first: answer('200 OK', [...HEADERS, 'Content-Encoding: gzip'], gzipSync(JSON_BODY)),
  }),
  caseOf('changed', '1 KB, changed each time', {
    first: answer('200 OK', HEADERS, JSON_BODY),
    isChanging: true,
  }),
  caseOf('large', '100 KB, 200 each time, without validators', {
    first: answer('200 OK', HEADERS, LARGE_BODY),
    maxChannels: FEW_CHANNELS,
  }),
  caseOf('large-changed', '100 KB, changed each time', {
    first: answer('200 OK', HEADERS, LARGE_BODY),
    isChanging: true,
    maxChannels: FEW_CHANNELS,
  }),
];

/** Cases of an unchanged document of 1 KB. */
export const UNCHANGED = ['plain', 'etag', 'gzip'];

/** The header names and values of a poll by the proxy, less what makes it conditional. */
export function pollHeaders(port: number): string[] {
  const host = `127.0.0.1:${port}`;
  return [
    ...['accept', '*/*', 'accept-encoding', 'gzip', 'user-agent', 'comet-proxy/0.0.0'],
    ...['host', host, 'x-forwarded-proto', 'http', 'x-forwarded-host', host],
    ...['via', '1.1 0123456789abcdef'],
  ];
}

interface Answers {
  readonly first: Buffer;
  /** @default as the first */
  readonly next?: Buffer;
  readonly conditions?: readonly string[];
  readonly isChanging?: boolean;
  /** @default any number */
  readonly maxChannels?: number;
}

function caseOf(key: string, name: string, answers: Answers): Case {
  const { first, next = first, conditions = [], isChanging, maxChannels = Infinity } = answers;
  const changes = isChanging ? { changesAt: first.indexOf(CHANGING) } : {};
  return { key, name, first, next, conditions, maxChannels, ...changes };
}

function answer(status: string, headers: readonly string[], body?: Buffer): Buffer {
  const length = body ? [`Content-Length: ${body.length}`] : [];
  const head = [`HTTP/1.1 ${status}`, ...headers, ...length].join('\r\n');
  return Buffer.concat([Buffer.from(`${head}\r\n\r\n`), body ?? Buffer.alloc(0)]);
}

/** JSON of exactly so many bytes, as alike in itself as a status page is. */
function jsonOf(bytes: number): string {
  const start = `{"state":"running","version":"${CHANGING}","rows":"`;
  let rows = '';
  for (let i = 0; rows.length < bytes; i++) rows += `worker-${i} idle ${(i * 7919) % 1_000} ms; `;
  return `${start}${rows.slice(0, bytes - start.length - 2)}"}`;
}
