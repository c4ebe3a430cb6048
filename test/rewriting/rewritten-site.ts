import { once } from 'node:events';
import type { Transform } from 'node:stream';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { siteRewriting } from '../../src/passthrough/site-rewriting.ts';
import type { Mapping } from '../../src/passthrough/url-map.ts';
import { UrlRules } from '../../src/passthrough/url-rewriter.ts';
import { headerValues } from '../../src/shared/raw-headers.ts';
import { clientOf, UPSTREAMS } from './upstreams.ts';

/** One exchange with a site whose pages name mounts. */
export interface SiteExchange {
  readonly method?: string;
  readonly status?: number;
  /** Of the request. */
  readonly sent?: readonly string[];
  /** Of the site's answer. */
  readonly headers: readonly string[];
  readonly mappings?: readonly Mapping[];
  readonly origin?: string;
}

/** What becomes of it. */
export interface SeenExchange {
  readonly request: string[];
  readonly headers: string[];
  /** The values of one header of the answer, joined; `name` in lower case. */
  header(name: string): string;
  /** What the body has to go through; empty when it is not touched. */
  readonly body: readonly Transform[];
}

export function exchangeWithSite(exchange: SiteExchange): SeenExchange {
  const { method = 'GET', status = 200, sent = [], origin = 'https://shop.example' } = exchange;
  const rules = new UrlRules(exchange.mappings ?? [UPSTREAMS.bayeux]);
  const rewriting = siteRewriting(rules, clientOf(origin), UPSTREAMS.site);
  const request = rewriting.request(sent);
  const { headers, body } = rewriting.response({ method, status, headers: exchange.headers });
  return {
    request,
    headers,
    body,
    header: (name) => headerValues(headers, name).join(', '),
  };
}

/** Send these pieces through, and give all that comes out. Rejects when it breaks. */
export async function through(
  body: readonly Transform[],
  pieces: Iterable<Buffer>,
): Promise<Buffer> {
  const sink = new PassThrough();
  const source = Readable.from(pieces);
  const [chunks] = await Promise.all([sink.toArray(), pipeline([source, ...body, sink])]);
  return Buffer.concat(chunks as Buffer[]);
}

/** Write this piece, and give what comes out of it before there is another one. */
export async function firstOutput(body: readonly Transform[], piece: Buffer): Promise<Buffer> {
  const [head] = body;
  const last = body.reduce((from, to) => (from === to ? to : from.pipe(to)));
  head?.write(piece);
  const [chunk] = (await once(last, 'data')) as [Buffer];
  return chunk;
}
