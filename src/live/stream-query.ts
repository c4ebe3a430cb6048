import { parseCursor } from '../protocol/cursor.ts';
import { PARAMETERS } from '../protocol/surface.ts';
import { ProxyError } from '../shared/errors.ts';
import { redactUrl } from '../shared/logger.ts';
import type { Asked } from './asked.ts';
import type { Content } from './request-body.ts';
import { parseBody } from './request-body.ts';

/** A URL that a client wants to see, and the cursor that it has for it. */
export interface WantedUrl {
  readonly target: string;
  /** `#` and a name of the client's own, under which its events are told; empty without one. */
  readonly name: string;
  readonly since: string | undefined;
  /** What it is polled with, if by `POST`. */
  readonly content: Content | undefined;
  /** The right to see it as whoever sent the request that brought this. */
  readonly ticket: string | undefined;
}

/** How a client says what it wants to see. */
export interface Wish {
  readonly url: string;
  readonly since?: string | undefined;
  readonly method?: string | undefined;
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
  readonly ticket?: string | undefined;
}

/**
 * Read `?url=…&since=…&url=…`. Other parameters are left alone.
 *
 * @param own - The origin that the client sees this site under, for absolute URLs.
 * @param maxUrls - How many URLs one stream may have.
 * @throws {ProxyError} `BAD_URL`, `BAD_PARAMETER`.
 */
export function parseWantedUrls(
  query: URLSearchParams,
  own: string,
  maxUrls: number,
): readonly WantedUrl[] {
  const wishes: { -readonly [name in keyof Wish]: Wish[name] }[] = [];
  for (const [name, value] of query) {
    if (name === PARAMETERS.url) wishes.push({ url: value });
    else if (isOfUrl(name)) {
      const last = wishes.at(-1);
      if (!last) throw new ProxyError('BAD_PARAMETER', `"${name}" stands before its "url"`);
      last[name] = value;
    }
  }
  if (wishes.length > maxUrls) throw new ProxyError('BAD_PARAMETER', `more than ${maxUrls} "url"`);
  return wishes.map((wish) => readWish(wish, own));
}

/**
 * Read what a client wants to see.
 *
 * @param own - As above.
 * @throws {ProxyError} `BAD_URL`, `BAD_PARAMETER`.
 */
export function readWish(wish: Wish, own: string): WantedUrl {
  const { url, since, ticket } = wish;
  const { target, name } = readName(url, own);
  if (ticket !== undefined && [wish.method, wish.body, wish.contentType].some(isGiven)) {
    throw new ProxyError('BAD_PARAMETER', '"ticket" stands in place of what the poll carries');
  }
  return {
    target,
    name,
    since: since === undefined ? undefined : parseCursor(since),
    content: contentOf(wish),
    ticket,
  };
}

/**
 * A URL and the name behind its `#`.
 *
 * @throws {ProxyError} `BAD_URL`.
 */
export function readName(url: string, own: string): Pick<WantedUrl, 'target' | 'name'> {
  const [name = ''] = /#[\w-]{1,32}$/.exec(url) ?? [];
  return { target: ownTarget(name === '' ? url : url.slice(0, -name.length), own), name };
}

const OF_URL = [
  PARAMETERS.since,
  PARAMETERS.method,
  PARAMETERS.body,
  PARAMETERS.contentType,
  PARAMETERS.ticket,
] as const;

function isOfUrl(name: string): name is (typeof OF_URL)[number] {
  return OF_URL.some((known) => known === name);
}

function isGiven(value: string | undefined): boolean {
  return value !== undefined;
}

function contentOf({
  method,
  body,
  contentType,
}: Pick<Wish, 'method' | 'body' | 'contentType'>): Content | undefined {
  if (method === 'GET' || (method === undefined && body === undefined)) {
    if (body === undefined && contentType === undefined) return undefined;
    throw new ProxyError('BAD_PARAMETER', '"body" and "contentType" are for "method=POST"');
  }
  if (method !== undefined && method !== 'POST') {
    throw new ProxyError('BAD_PARAMETER', '"method" must be GET or POST');
  }
  const bytes = Buffer.from(body ?? '');
  if (contentType === undefined) return { type: guessType(bytes), bytes };
  // SECURITY: it goes into a header.
  if (!/^[\x21-\x7e][\t\x20-\x7e]{0,255}$/.test(contentType)) {
    throw new ProxyError('BAD_PARAMETER', '"contentType" must be a media type');
  }
  return { type: contentType, bytes };
}

/** As scripts would send it. */
function guessType(bytes: Buffer): string {
  const type = 'application/json';
  return parseBody(type, bytes).kind === 'json' ? type : 'application/x-www-form-urlencoded';
}

/** Could a request for it, by whoever made a browser send it, do or show what only its page may? */
export function needsProof({ content, ticket }: WantedUrl): boolean {
  return content !== undefined || ticket !== undefined;
}

/**
 * Bodies are in no event: who polls one URL with several must be able to tell them apart.
 *
 * @param asked - What is told under which address.
 * @throws {ProxyError} `BAD_PARAMETER`.
 */
export function refuseTwins(asked: readonly Asked[]): void {
  const posts = asked.filter(({ admitted }) => admitted?.wanted.content !== undefined);
  for (const post of posts) {
    if (!asked.some((other) => other !== post && other.url === post.url)) continue;
    const detail = 'several polls of one "url": give each a name, such as url=/rpc%23list';
    throw new ProxyError('BAD_PARAMETER', detail);
  }
}

/**
 * A request target of this site, from a path or from an absolute URL under our own origin.
 *
 * @throws {ProxyError} `BAD_URL`.
 */
export function ownTarget(url: string, own: string): string {
  const host = own.slice(own.indexOf('//'));
  const lower = url.toLowerCase();
  const prefix = [own, host].find((start) => lower.startsWith(`${start}/`)) ?? '';
  const target = url.slice(prefix.length);
  // What is left of another origin's URL starts with "//" or with its scheme.
  if (
    !/^\/[\x21-\x7e]*$/.test(target) ||
    (prefix === '' && target.startsWith('//')) ||
    /[#\\]/.test(target)
  ) {
    throw new ProxyError(
      'BAD_URL',
      `not a URL of this site: ${JSON.stringify(redactUrl(url).slice(0, 200))}`,
    );
  }
  return target;
}
