/*
 * What is asked and answered while the pass-through is measured. The client and the upstream both
 * hold their half against it, so that nothing counts that was not passed on whole.
 */

/** One kind of exchange. */
export interface Case {
  readonly name: string;
  /** Bytes that a client sends, each time the same. */
  readonly request: Buffer;
  readonly requestBody: string;
  /** Bytes that the upstream answers with. */
  readonly answer: Buffer;
  readonly answerBody: string;
  /** That ask at the same time. */
  readonly connections: number;
  /** A rate that all contenders bear; without one, latency is not compared. */
  readonly perSecond?: number;
  /** Each request comes by a connection of its own. */
  readonly isNewConnection: boolean;
}

/** As Chromium sends them, less what names its version. */
const BROWSER_HEADERS = [
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)',
  'Accept: application/json',
  'Accept-Language: en-US,en;q=0.9',
  'Cookie: SESSION=0123456789abcdef0123456789abcdef',
];
const TEN_HEADERS = [
  'Server: legacy/2.1',
  'Date: Mon, 02 Nov 2026 10:00:00 GMT',
  'Content-Type: application/json; charset=utf-8',
  'Cache-Control: private, no-cache',
  'ETag: "0123456789abcdef"',
  'Vary: Accept-Encoding, Cookie',
  'X-Frame-Options: SAMEORIGIN',
  'X-Request-Id: 6f1c2a3e-9a54-4a4e-8f0d-5b6c7d8e9f00',
  'Set-Cookie: SESSION=0123456789abcdef0123456789abcdef; Path=/; HttpOnly',
];

const KIB = 1_024;
const MANY = { connections: 64, perSecond: 1_000 };
const SHORT_JSON = { answerHeaders: TEN_HEADERS.slice(1, 3), answerBody: jsonOf(100) };

/** By path. */
export const CASES: Readonly<Record<string, Case>> = {
  '/small': exchange({
    ...MANY,
    ...SHORT_JSON,
    name: 'GET, answered with 100 B of JSON',
    start: 'GET /small HTTP/1.1',
  }),
  '/form': exchange({
    ...MANY,
    name: 'POST of 1 KB, answered with 2 KB of JSON and ten headers',
    start: 'POST /form HTTP/1.1',
    requestBody: jsonOf(KIB),
    answerHeaders: TEN_HEADERS,
    answerBody: jsonOf(2 * KIB),
  }),
  '/new': exchange({
    ...SHORT_JSON,
    name: 'GET, answered with 100 B of JSON, each by a new connection',
    start: 'GET /new HTTP/1.1',
    connections: 16,
    perSecond: 500,
    isNewConnection: true,
  }),
  '/64k': exchange({
    name: 'GET, answered with 64 KiB',
    start: 'GET /64k HTTP/1.1',
    answerHeaders: TEN_HEADERS,
    answerBody: jsonOf(64 * KIB),
    connections: 16,
    perSecond: 300,
  }),
  '/10m': exchange({
    name: 'GET, answered with 10 MiB',
    start: 'GET /10m HTTP/1.1',
    answerHeaders: TEN_HEADERS,
    answerBody: jsonOf(10 * KIB * KIB),
    connections: 4,
  }),
  '/upload': exchange({
    ...SHORT_JSON,
    name: 'POST of 1 MiB, answered with 100 B of JSON',
    start: 'POST /upload HTTP/1.1',
    requestBody: jsonOf(KIB * KIB),
    connections: 4,
  }),
};

interface Parts {
  readonly name: string;
  readonly start: string;
  readonly requestBody?: string;
  readonly answerHeaders: readonly string[];
  readonly answerBody: string;
  readonly connections: number;
  readonly perSecond?: number;
  readonly isNewConnection?: boolean;
}

function exchange(parts: Parts): Case {
  const { start, requestBody = '', answerHeaders, answerBody, ...rest } = parts;
  const sent = requestBody
    ? ['Content-Type: application/json', `Content-Length: ${requestBody.length}`]
    : [];
  const connection = rest.isNewConnection ? 'close' : 'keep-alive';
  const asked = [
    start,
    'Host: site.example',
    `Connection: ${connection}`,
    ...BROWSER_HEADERS,
    ...sent,
  ];
  const told = ['HTTP/1.1 200 OK', ...answerHeaders, `Content-Length: ${answerBody.length}`];
  return {
    isNewConnection: false,
    ...rest,
    request: message(asked, requestBody),
    requestBody,
    answer: message(told, answerBody),
    answerBody,
  };
}

function message(lines: readonly string[], body: string): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function jsonOf(bytes: number): string {
  const start = '{"state":"';
  return `${start}${'running '.repeat(bytes / 8).slice(0, bytes - start.length - 2)}"}`;
}
