import type { TestContext } from 'node:test';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';
import { SITE_HOST } from './visit.ts';

/** The site's cookie: the Comet server has one of this name too. */
export const SITE_COOKIE = 'SESSION=site';

const TYPES: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript' };

/** A legacy site, and the proxy before it. */
export interface Scene {
  /** The site's own origin, as browsers know it. */
  readonly url: string;
  readonly site: Upstream;
  /** The proxy goes away, with all its connections. */
  stop(): Promise<void>;
  /** Another one takes its place, at the same address. */
  start(): Promise<void>;
}

/**
 * Start them.
 *
 * @param files - What the site has, by name; `index.html` is also its root.
 * @param comet - As in the config.
 */
export async function startScene(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  comet: Record<string, unknown>,
): Promise<Scene> {
  const site = await startUpstream(t, (req, res) => {
    const name = req.url === '/' ? 'index.html' : String(req.url).slice(1);
    const file = files[name];
    const type = TYPES[name.split('.').at(-1) ?? ''] ?? 'text/plain';
    const headers = { 'content-type': type, 'set-cookie': `${SITE_COOKIE}; Path=/; HttpOnly` };
    if (file === undefined) res.writeHead(404).end();
    else res.writeHead(200, headers).end(file);
  });
  const config = { site: site.url, comet };
  let proxy: TestProxy = await startTestProxy(t, config);
  const { port } = proxy;
  return {
    url: `http://${SITE_HOST}:${port}`,
    site,
    stop: () => proxy.close(),
    async start() {
      proxy = await startTestProxy(t, { ...config, listen: `127.0.0.1:${port}` });
    },
  };
}
