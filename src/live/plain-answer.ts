import type { VaryItem } from '../config/vary.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { hasBody, headerValue, headerValues, listItems } from '../shared/raw-headers.ts';
import { answerWithId } from './answer-with-id.ts';
import { matchingHeaders } from './matching-headers.ts';

/** An answer, decided but not written yet. */
export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const NO_BODY = new Uint8Array();

/** Conditions that only the upstream can judge, and parts that only it can cut out. */
const UPSTREAM_ONLY = ['range', 'if-match', 'if-unmodified-since', 'if-range'];

/** Can a plain request be answered from the state, as far as the request itself says? */
export function isAbsorbable(method: string, headers: RawHeaders): boolean {
  return (
    (method === 'POST' || (method === 'GET' && !hasBody(headers))) &&
    !UPSTREAM_ONLY.some((name) => headerValue(headers, name) !== undefined)
  );
}

/** Does a request carry a validator that we could have given? Only that can hold it. */
export function hasValidator(headers: RawHeaders): boolean {
  const tags = headerValues(headers, 'if-none-match').flatMap(listItems);
  if (tags.length > 0) return !tags.includes('*');
  return headerValue(headers, 'if-modified-since') !== undefined;
}

/** The answer to a plain request from the state: 304 when the client has it already. */
export function plainAnswer(
  state: ChannelEvent,
  vary: readonly VaryItem[],
  request: RawHeaders,
): PlainAnswer {
  const etag = state.headers['etag'] ?? `"${state.id}"`;
  const headers: Record<string, string> = {
    // Without a rule of the upstream's, a cache that guesses would hide changes from the page.
    'cache-control': 'no-cache',
    ...state.headers,
    etag,
    vary: mergedVary(state.headers['vary'], vary, request),
    'cache-status': 'comet-proxy; hit', // RFC 9211
  };
  if (isCurrent(request, etag, state.headers['last-modified'])) {
    const { 'content-type': _type, 'content-language': _language, ...validators } = headers;
    return { status: 304, headers: validators, body: NO_BODY };
  }
  if (state.status === 204) return { status: 204, headers, body: NO_BODY };
  headers['content-length'] = String(state.data.length);
  return { status: 200, headers, body: state.data };
}

/**
 * The same to a request by `POST`, which has no validators.
 *
 * @param callerId - With `rpc`: the id of this very call, as JSON text.
 */
export function postAnswer(
  state: ChannelEvent,
  vary: readonly VaryItem[],
  request: RawHeaders,
  callerId: string | undefined,
): PlainAnswer {
  const answer = plainAnswer(state, vary, withoutConditions(request));
  const { etag: _etag, 'last-modified': _modified, ...headers } = answer.headers;
  if (callerId === undefined || answer.status === 204) return { ...answer, headers };
  const body = answerWithId(answer.body, callerId);
  return { ...answer, headers: { ...headers, 'content-length': String(body.length) }, body };
}

function withoutConditions(request: RawHeaders): RawHeaders {
  return request.flatMap((name, index) => {
    const isName = index % 2 === 0;
    return isName && !/^if-/i.test(name) ? [name, request[index + 1] ?? ''] : [];
  });
}

/** RFC 9110 §13.1.2 and §13.1.3: entity tags win over dates, and compare weakly for GET. */
function isCurrent(request: RawHeaders, etag: string, lastModified: string | undefined): boolean {
  const tags = headerValues(request, 'if-none-match').flatMap(listItems);
  if (tags.length > 0) return tags.some((tag) => tag === '*' || opaque(tag) === opaque(etag));
  const since = headerValue(request, 'if-modified-since');
  return since !== undefined && lastModified !== undefined && since === lastModified;
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

function mergedVary(
  upstream: string | undefined,
  vary: readonly VaryItem[],
  request: RawHeaders,
): string {
  const names = new Map(listItems(upstream ?? '').map((name) => [name.toLowerCase(), name]));
  for (const item of vary) {
    if (item.kind === 'cookies' || item.kind === 'cookie') names.set('cookie', 'Cookie');
    if (item.kind === 'header') names.set(item.name, item.name);
    if (item.kind === 'headers') {
      for (const [name] of matchingHeaders(item.pattern, request)) names.set(name, name);
    }
  }
  // The same URL streams when it is asked for an event stream, and waits when it is asked to.
  names.set('accept', 'Accept').set('prefer', 'Prefer');
  return [...names.values()].join(', ');
}
