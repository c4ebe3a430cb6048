import type { RequestField } from './request-fields.ts';
import { bodyFields } from './request-fields.ts';
import type { Seen } from './seen.ts';
import { pageOf } from './seen.ts';
import { cookieNames, isPrefetch, readAnswerHeaders } from './seen-headers.ts';
import { kindOfRequest } from './seen-kind.ts';

/**
 * Read one entry of a HAR 1.2, as any browser writes it; `undefined` when it is none.
 *
 * @param client - Names the browser: the recording.
 */
export function readHarEntry(text: string, client: string): Seen | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const entry = object(value);
  const request = object(entry['request']);
  const response = object(entry['response']);
  const atMs = Date.parse(string(entry['startedDateTime']) ?? '');
  const url = string(request['url']);
  const method = string(request['method']);
  if (Number.isNaN(atMs) || url === undefined || method === undefined) return undefined;
  const [, host, target = ''] = /^(?:https?|wss?):\/\/([^/?#]+)([^#]*)/i.exec(url) ?? [];
  // Chrome records `data:` and `blob:` too: they are read, and nobody was asked.
  const isRemote = host !== undefined;
  const headers = {
    request: headerLookup(request['headers']),
    response: headerLookup(response['headers']),
  };
  const content = object(response['content']);
  const mimeType = headers.response('content-type') ?? string(content['mimeType']);
  const isCached = entry['_fromCache'] !== undefined || response['_fromCache'] !== undefined;
  const kind = kindOfRequest({
    target,
    mimeType,
    destination: string(entry['_resourceType']) ?? headers.request('sec-fetch-dest'),
    accept: headers.request('accept'),
  });
  const duration = number(entry['time']);
  const size = number(content['size']) ?? number(response['bodySize']);
  const body = string(content['text']);
  return {
    atMs,
    resolutionMs: 1,
    client,
    host: host?.toLowerCase() ?? '',
    method,
    target: target.startsWith('/') ? target : `/${target}`,
    fields: method === 'POST' ? postedFields(request['postData']) : undefined,
    status: number(response['status']) ?? 0,
    durationMs: duration,
    bytes: size,
    content: body || headers.response('etag'),
    kind: isCached || isPrefetch(headers.request) || !isRemote ? 'asset' : kind,
    page: pageOf(headers.request('referer')),
    sender: 'page',
    headers: {
      cookies: cookieNames(headers.request('cookie')),
      hasCookies: headers.request('cookie') !== undefined,
      hasAuthorization: headers.request('authorization') !== undefined,
      mayLackCredentials: true,
      ...readAnswerHeaders(headers.response),
    },
  };
}

function postedFields(value: unknown): readonly RequestField[] | undefined {
  if (value === undefined) return [];
  const data = object(value);
  const mimeType = string(data['mimeType']) ?? '';
  const text = string(data['text']);
  if (text) return bodyFields(text, mimeType);
  const parameters = Array.isArray(data['params']) ? data['params'] : [];
  return parameters.map((parameter: unknown): RequestField => {
    const { name, value: text } = object(parameter);
    return { where: 'form', name: string(name) ?? '', text: string(text) ?? '' };
  });
}

function headerLookup(value: unknown): (name: string) => string | undefined {
  const headers = new Map<string, string>();
  for (const each of Array.isArray(value) ? (value as unknown[]) : []) {
    const { name, value: text } = object(each);
    if (typeof name === 'string' && typeof text === 'string') headers.set(name.toLowerCase(), text);
  }
  return (name) => headers.get(name);
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function string(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Sizes and times that are not known are -1. */
function number(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 ? value : undefined;
}
