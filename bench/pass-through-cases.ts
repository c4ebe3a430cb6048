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

/** By path. */
export const CASES: Readonly<Record<string, Case>> = {
  '/small': exchange({
    name: 'GET, answered with 100 B of JSON',
    start: 'GET /small HTTP/1.1',
    answerHeaders: TEN_HEADERS.slice(1, 3),
    answerBody: jsonOf(100),
  }),
  '/form': exchange({
    name: 'POST of 1 KB, answered with 2 KB of JSON and ten headers',
    start: 'POST /form HTTP/1.1',
    requestBody: jsonOf(1_024),
    answerHeaders: TEN_HEADERS,
    answerBody: jsonOf(2_048),
  }),
};

interface Parts {
  readonly name: string;
  readonly start: string;
  readonly requestBody?: string;
  readonly answerHeaders: readonly string[];
  readonly answerBody: string;
}

function exchange({ name, start, requestBody = '', answerHeaders, answerBody }: Parts): Case {
  const sent = requestBody
    ? ['Content-Type: application/json', `Content-Length: ${requestBody.length}`]
    : [];
  const asked = [
    start,
    'Host: site.example',
    'Connection: keep-alive',
    ...BROWSER_HEADERS,
    ...sent,
  ];
  const told = ['HTTP/1.1 200 OK', ...answerHeaders, `Content-Length: ${answerBody.length}`];
  const request = message(asked, requestBody);
  return { name, request, requestBody, answer: message(told, answerBody), answerBody };
}

function message(lines: readonly string[], body: string): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

function jsonOf(bytes: number): string {
  const start = '{"state":"';
  return `${start}${'running '.repeat(bytes).slice(0, bytes - start.length - 2)}"}`;
}

/** The start line and the body of a message, once all of it is there; never one of several. */
export function readMessage(text: string): { start: string; body: string } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = text.slice(0, headEnd + 2);
  const start = head.slice(0, head.indexOf('\r\n'));
  const body = text.slice(headEnd + 4);
  if (/\r\ntransfer-encoding: *chunked\r/i.test(head)) {
    return body.endsWith('0\r\n\r\n') ? { start, body: withoutChunks(body) } : undefined;
  }
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return body.length < length ? undefined : { start, body };
}

function withoutChunks(text: string): string {
  let body = '';
  let at = 0;
  for (;;) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (!(size > 0)) return body;
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 4 + size;
  }
}
