import type { CDPSession, Page } from 'puppeteer-core';

/** Records what a page of Chromium asks for, as its developer tools do. */
export interface HarRecorder {
  /** Requests that were answered until now. */
  readonly size: number;
  /** All of these as a HAR 1.2. */
  har(): string;
}

/** What is known of one request while it is under way. */
interface Open {
  readonly startedAt: number;
  readonly sentAt: number;
  readonly request: { url: string; method: string; headers: Headers; postData?: string };
  readonly type: string;
  response?: { status: number; headers: Headers; mimeType: string };
  /** With cookies, which Chromium tells of apart. */
  sentHeaders?: Headers;
}

type Headers = Record<string, string>;

/** Start to record a page, before it is opened. */
export async function recordHar(page: Page): Promise<HarRecorder> {
  const session = await page.createCDPSession();
  await session.send('Network.enable');
  const entries: unknown[] = [];
  watch(session, (entry) => entries.push(entry));
  return {
    get size() {
      return entries.length;
    },
    har() {
      const creator = { name: 'recorder', version: '1' };
      return JSON.stringify({ log: { version: '1.2', creator, pages: [], entries } });
    },
  };
}

function watch(session: CDPSession, onEntry: (entry: unknown) => void): void {
  const open = new Map<string, Open>();
  const early = new Map<string, Headers>();
  session.on('Network.requestWillBeSent', ({ requestId, request, wallTime, timestamp, type }) => {
    const { url, method, headers, postData } = request;
    const posted = postData === undefined ? {} : { postData };
    const sentHeaders = early.get(requestId);
    early.delete(requestId);
    open.set(requestId, {
      startedAt: wallTime * 1_000,
      sentAt: timestamp * 1_000,
      request: { url, method, headers, ...posted },
      type: type ?? 'Other',
      ...(sentHeaders ? { sentHeaders } : {}),
    });
  });
  session.on('Network.requestWillBeSentExtraInfo', ({ requestId, headers }) => {
    const known = open.get(requestId);
    if (known) known.sentHeaders = headers;
    else early.set(requestId, headers);
  });
  session.on('Network.responseReceived', ({ requestId, response }) => {
    const known = open.get(requestId);
    const { status, headers, mimeType } = response;
    if (known) known.response = { status, headers, mimeType };
  });
  session.on('Network.loadingFinished', ({ requestId, timestamp, encodedDataLength }) => {
    const known = open.get(requestId);
    open.delete(requestId);
    if (known?.response) onEntry(entryOf(known, timestamp * 1_000, encodedDataLength));
  });
}

function entryOf(known: Open, endedAt: number, size: number): unknown {
  const { startedAt, sentAt, request, response, type, sentHeaders } = known;
  return {
    _resourceType: type.toLowerCase(),
    startedDateTime: new Date(startedAt).toISOString(),
    time: endedAt - sentAt,
    request: {
      method: request.method,
      url: request.url,
      headers: listed({ ...request.headers, ...sentHeaders }),
    },
    response: {
      status: response?.status ?? 0,
      headers: listed(response?.headers ?? {}),
      content: { size, mimeType: response?.mimeType ?? '' },
    },
  };
}

function listed(headers: Headers): { name: string; value: string }[] {
  return Object.entries(headers).map(([name, value]) => ({ name, value }));
}
