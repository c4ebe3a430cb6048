import type { TestContext } from 'node:test';
import { TRANSPORT_NAMES } from '../../../src/protocol/surface.ts';
import type { Clock } from '../../../src/shared/clock.ts';
import type { TestProxy } from '../../support/proxy.ts';
import { startTestProxy } from '../../support/proxy.ts';
import type { Upstream } from '../../support/upstream.ts';
import { startUpstream } from '../../support/upstream.ts';

/** What the site answers under one path. */
export interface Page {
  readonly status?: number;
  /** `undefined` is no `Content-Type`. */
  readonly type?: string | undefined;
  readonly body: string | Buffer;
}

/** A site behind a proxy. Everything under `/api/` is live; what has no page is `404`. */
export interface Site {
  readonly proxy: TestProxy;
  readonly upstream: Upstream;
  /** From now on this is what stands under the path. */
  put(path: string, page: Page): void;
  /** The same with a JSON document. */
  putJson(path: string, value: unknown): void;
}

/** What a test says of its site. */
export interface SiteOptions {
  /** Further keys of the live endpoint, in place of a public one that is polled every 50 ms. */
  readonly endpoint?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
}

/** Start a site and its proxy; both are closed when the test ends. */
export async function openSite(
  t: TestContext,
  { endpoint = {}, clock }: SiteOptions = {},
): Promise<Site> {
  const pages = new Map<string, Page>();
  const upstream = await startUpstream(t, (req, res) => {
    const { status = 200, type, body } = pages.get(req.url ?? '') ?? { status: 404, body: '' };
    if (type !== undefined) res.setHeader('content-type', type);
    res.writeHead(status).end(body);
  });
  const live = {
    '/api/:name': { every: '50ms', vary: [], transports: TRANSPORT_NAMES, ...endpoint },
  };
  // Longer than any test may take: a drain that needs it has failed.
  const limits = { drain: '1h' };
  const proxy = await startTestProxy(t, { site: upstream.url, live, limits }, clock);
  const put = (path: string, page: Page) => void pages.set(path, page);
  return {
    proxy,
    upstream,
    put,
    putJson: (path, value) => put(path, { type: 'application/json', body: JSON.stringify(value) }),
  };
}
