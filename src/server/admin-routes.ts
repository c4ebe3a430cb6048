import type { Clock } from '../shared/clock.ts';
import type { DiscoveryReport } from '../shared/discovery-report.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Explanation, Question } from '../shared/explanation.ts';
import { essence } from '../shared/media-type.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValues } from '../shared/raw-headers.ts';
import type { AdminAnswer, AdminRequest, AdminRoute } from './admin-route.ts';
import { AdminError, jsonAnswer } from './admin-route.ts';
import { RateLimit } from './rate-limit.ts';

/** What the rest of the proxy does for the admin listener. */
export interface AdminHandlers {
  /**
   * Poll every channel of a URL now, whatever clients it is for.
   *
   * @param target - As it was given: a path with its query, or an absolute URL.
   * @returns How many channels that are.
   * @throws {ProxyError} `BAD_URL`.
   */
  refresh(target: string): { readonly channels: number };
  /** Say what becomes of a request. @throws {ProxyError} `BAD_URL`. */
  explain(question: Question): Explanation | Promise<Explanation>;
  /** Say what is polled of the site, by the requests that came by. */
  discover(): Promise<DiscoveryReport>;
}

/** URLs of one request to refresh. */
const MAX_URLS = 32;
/** SECURITY: each one is a poll of the site, which somebody else pays for. */
const REFRESHES = { perSecond: 50, burst: 100 };
const MAX_URL_LENGTH = 8_192;
const MAX_HEADERS = 100;
const MAX_EXPLAIN_BYTES = 64 * 1_024;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}$/;

/** What backends and the command line ask for. */
export function adminRoutes(handlers: AdminHandlers, clock: Clock): AdminRoute[] {
  const limit = new RateLimit(REFRESHES, clock);
  return [
    {
      method: 'POST',
      path: '/_comet/refresh',
      needsToken: true,
      maxBodyBytes: 0,
      handler: (request) => refresh(request, handlers, limit),
    },
    {
      method: 'POST',
      path: '/_comet/explain',
      needsToken: false,
      maxBodyBytes: MAX_EXPLAIN_BYTES,
      handler: async (request) => jsonAnswer(200, await handlers.explain(readQuestion(request))),
    },
    {
      method: 'GET',
      path: '/discover',
      needsToken: false,
      maxBodyBytes: 0,
      handler: async () => jsonAnswer(200, await handlers.discover()),
    },
  ];
}

function refresh({ query }: AdminRequest, handlers: AdminHandlers, limit: RateLimit): AdminAnswer {
  if ([...query.keys()].some((name) => name !== 'url')) {
    throw new ProxyError('BAD_PARAMETER', 'there is no other parameter than "url"');
  }
  const urls = query.getAll('url');
  if (urls.length === 0) throw new ProxyError('BAD_URL');
  if (urls.length > MAX_URLS) throw new ProxyError('BAD_PARAMETER', `more than ${MAX_URLS} "url"`);
  const waitMs = limit.take(urls.length);
  if (waitMs > 0) {
    const seconds = String(Math.ceil(waitMs / 1_000));
    throw new AdminError('TOO_MANY_REFRESHES', { 'retry-after': seconds });
  }
  let channels = 0;
  for (const url of urls) channels += handlers.refresh(url).channels;
  return jsonAnswer(202, { channels });
}

/**
 * Read `{"url", "headers"?, "method"?, "body"?}`.
 *
 * SECURITY: the type of the body is one that no form can send, and that a page of another origin
 * must ask for first.
 */
function readQuestion({ rawHeaders, body }: AdminRequest): Question {
  const types = headerValues(rawHeaders, 'content-type');
  if (types.length !== 1 || essence(types[0] ?? '') !== 'application/json') {
    throw new AdminError('NOT_JSON');
  }
  const { url, headers = [], method = 'GET', body: text, ...others } = readObject(body);
  const isRead =
    typeof url === 'string' &&
    url.length <= MAX_URL_LENGTH &&
    typeof method === 'string' &&
    TOKEN.test(method) &&
    (text === undefined || typeof text === 'string') &&
    Object.keys(others).length === 0;
  if (!isRead) throw new AdminError('BAD_BODY');
  const question = { target: url, method, headers: readHeaders(headers) };
  return text === undefined ? question : { ...question, body: text };
}

function readObject(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  } catch {
    // The same is wrong with it as with any other text that is no such object.
  }
  throw new AdminError('BAD_BODY');
}

function readHeaders(value: unknown): RawHeaders {
  if (!Array.isArray(value) || value.length > MAX_HEADERS) throw new AdminError('BAD_BODY');
  return value.flatMap((pair: unknown) => {
    const [name, text, ...rest]: unknown[] = Array.isArray(pair) ? pair : [];
    const isHeader =
      typeof name === 'string' &&
      TOKEN.test(name) &&
      typeof text === 'string' &&
      /^[\t\x20-\x7e\x80-\xff]*$/.test(text) &&
      rest.length === 0;
    if (!isHeader) throw new AdminError('BAD_BODY');
    return [name, text];
  });
}
