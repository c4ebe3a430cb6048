import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { TRANSPORT_NAMES } from '../../src/protocol/surface.ts';
import type { Clock } from '../../src/shared/clock.ts';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import { startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

/** Each in a scope of its own, as scripts of one page would not be. */
const CLIENTS = ['readers.js', 'clients.js']
  .map((name) => `{${readFileSync(new URL(name, import.meta.url), 'utf8')}}`)
  .join('\n');

/** For a page that lets nothing in that does not say that it may be there. */
const ISOLATION = {
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-opener-policy': 'same-origin',
};

/** Waits are for slow machines only: nothing here depends on them. */
const PATIENCE = { timeout: 240_000, polling: 50 };

/** Whatever the site serves now at one path. */
export interface Content {
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A site whose state the test sets, with the proxy and a network that can break before it. */
export interface Site {
  /** Through the network. */
  readonly url: string;
  readonly proxy: TestProxy;
  readonly upstream: Upstream;
  /** What the site has at its paths. */
  readonly content: Map<string, Content>;
  /** Reset all connections of browsers. */
  cut(): void;
}

/** An endpoint that everybody may see, by every transport. */
export const PUBLIC = { every: '50ms', vary: [], linger: '60s', transports: TRANSPORT_NAMES };

/** Start them; `live` are the endpoints, `/state` if nothing is said. */
export async function startSite(
  t: TestContext,
  config: Record<string, unknown> = {},
  clock?: Clock,
): Promise<Site> {
  const body = '<!doctype html><title>page</title><body><script src="/clients.js"></script>';
  const content = new Map<string, Content>([
    ['/', { type: 'text/html', body }],
    ['/isolated', { type: 'text/html', body, headers: ISOLATION }],
    ['/clients.js', { type: 'text/javascript', body: CLIENTS }],
    ['/state', { type: 'application/json', body: '0' }],
  ]);
  const upstream = await startUpstream(t, (req, res) => {
    const found = content.get(req.url?.split('?')[0] ?? '');
    if (!found) res.writeHead(404).end();
    else res.writeHead(200, { 'content-type': found.type, ...found.headers }).end(found.body);
  });
  const live = { '/state': PUBLIC };
  const proxy = await startTestProxy(t, { site: upstream.url, live, ...config }, clock);
  const network = await startRelay(t, proxy.port);
  return { url: network.url, proxy, upstream, content, cut: network.cut };
}

/** Change the JSON document of the site. */
export function setState(site: Site, state: unknown): void {
  site.content.set('/state', { type: 'application/json', body: JSON.stringify(state) });
}

/** Wait until the proxy knows what the site has now. */
export async function isPolled({ upstream }: Site): Promise<void> {
  // The first of these polls may have begun before the change, and the last may not have ended.
  const wanted = upstream.count('/state') + 3;
  await until(() => upstream.count('/state') >= wanted);
}

/** Open a page in a tab of its own; it is closed when the test ends. */
export async function openPage(t: TestContext, browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.goto(url);
  return page;
}

/** Wait until an expression holds in the page. */
export async function holds(page: Page, expression: string): Promise<void> {
  await page.waitForFunction(expression, PATIENCE);
}

/** Wait until the page has seen this state as the last one. */
export function sees(page: Page, state: unknown): Promise<void> {
  return holds(page, `JSON.stringify(seen.at(-1)) === ${JSON.stringify(JSON.stringify(state))}`);
}
