import type { TestContext } from 'node:test';
import type { Clock } from '../../src/shared/clock.ts';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

/** A site that shows one state to everybody who has logged in. */
export interface SessionSite {
  readonly proxy: TestProxy;
  readonly upstream: Upstream;
  /** Sessions that are let in. */
  readonly sessions: Set<string>;
  state: unknown;
  /** Lines of `Set-Cookie` in every answer to one that is let in. */
  setCookie: ((cookie: string) => string) | undefined;
  /** Whose credentials each request carried. */
  readonly askedBy: () => string[];
}

/** Start it behind a proxy; both are closed when the test ends. */
export async function openSessionSite(
  t: TestContext,
  keys: object = {},
  clock?: Clock,
  config: object = {},
): Promise<SessionSite> {
  const upstream = await startUpstream(t, (req, res) => {
    const cookie = req.headers.cookie ?? '';
    if (!site.sessions.has(cookie)) {
      res.writeHead(302, { location: '/login' }).end();
      return;
    }
    if (site.setCookie) res.setHeader('set-cookie', site.setCookie(cookie));
    res.setHeader('content-type', 'application/json').end(JSON.stringify(site.state));
  });
  const live = {
    '/all': { every: '50ms', authorizedBy: ['cookie'], probeEvery: '1h', linger: '0s', ...keys },
  };
  const proxy = await startTestProxy(t, { site: upstream.url, live, ...config }, clock);
  const site: SessionSite = {
    proxy,
    upstream,
    sessions: new Set(),
    state: 0,
    setCookie: undefined,
    askedBy: () => upstream.requests.map(({ headers }) => headers.cookie ?? ''),
  };
  return site;
}
