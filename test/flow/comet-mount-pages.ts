import type { TestContext } from 'node:test';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';

/** A Comet origin that is never asked: only pages name it. */
export const ORIGIN = 'https://push.example/bayeux/';
export const PAGE = '<script src="https://push.example/bayeux/c.js"></script><p>caf\u00e9</p>';
/** The same, as clients see it that know the site as `site.test`. */
export const SEEN = '<script src="http://site.test/chat/c.js"></script><p>caf\u00e9</p>';

/** Start a proxy that makes the pages of this site name the mount. */
export function startRewrittenSite(
  t: TestContext,
  site: string,
  config: Readonly<Record<string, unknown>> = {},
): Promise<TestProxy> {
  const comet = { '/chat': { origin: ORIGIN, rewriteUrls: true } };
  return startTestProxy(t, { site, comet, ...config });
}
