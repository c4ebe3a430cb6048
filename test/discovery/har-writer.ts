/** One entry of a HAR as a test wants it. */
export interface HarRequest {
  readonly atMs: number;
  readonly url: string;
  readonly method?: string;
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly status?: number;
  readonly body?: string;
  readonly postData?: { readonly mimeType: string; readonly text?: string };
  readonly timeMs?: number;
  /** Fields that only one browser writes, as `_resourceType`. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A recording of these requests, with everything that the format demands. */
export function writeHar(requests: readonly HarRequest[], creator = 'test'): string {
  const entries = requests.map(entryOf);
  const pages = [
    { startedDateTime: new Date(0).toISOString(), id: 'page_1', title: 'p', pageTimings: {} },
  ];
  const log = {
    version: '1.2',
    creator: { name: creator, version: '1' },
    pages,
    entries,
    comment: '"entries": [{',
  };
  return JSON.stringify({ log }, null, 1);
}

function entryOf(request: HarRequest): unknown {
  const { atMs, url, method = 'GET', status = 200, body, postData, timeMs = 12, extra } = request;
  const size = body === undefined ? -1 : Buffer.byteLength(body);
  const mimeType = request.responseHeaders?.['content-type'] ?? 'application/json';
  const time = { send: 0, wait: timeMs, receive: 0 };
  return {
    ...extra,
    pageref: 'page_1',
    startedDateTime: new Date(atMs).toISOString(),
    time: timeMs,
    request: {
      method,
      url,
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: listed(request.requestHeaders),
      queryString: [],
      headersSize: -1,
      bodySize: -1,
      ...(postData ? { postData } : {}),
    },
    response: {
      status,
      statusText: 'OK',
      httpVersion: 'HTTP/1.1',
      cookies: [],
      headers: listed(request.responseHeaders),
      content: { size, mimeType, ...(body === undefined ? {} : { text: body }) },
      redirectURL: '',
      headersSize: -1,
      bodySize: size,
    },
    cache: {},
    timings: time,
  };
}

function listed(headers: Readonly<Record<string, string>> = {}): unknown[] {
  return Object.entries(headers).map(([name, value]) => ({ name, value }));
}
