import type { TestContext } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import { openBrowser } from '../support/browsers.ts';
import { ORIGIN_HOST } from './servers/origin.ts';

/** The name of the legacy site. */
export const SITE_HOST = 'site.test';

/** A cookie as the browser keeps it. */
export interface StoredCookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  readonly path: string;
}

/** A page, and the browser's network log of it. */
export interface Visit {
  readonly page: Page;
  /** URLs of all requests and WebSockets, of frames as well, whether they came through or not. */
  readonly urls: readonly string[];
  /** What was thrown in the page and not caught. */
  readonly errors: readonly string[];
  cookies(): Promise<StoredCookie[]>;
}

/**
 * Start Chromium; it is closed when the test ends.
 *
 * @param foreign - `hidden`: for the browser there is no host of the name that Comet servers have.
 */
export function openChromium(
  t: TestContext,
  foreign: 'hidden' | 'reachable' = 'hidden',
): Promise<Browser> {
  const rules = [
    `MAP ${SITE_HOST} 127.0.0.1`,
    ...(foreign === 'hidden' ? [`MAP ${ORIGIN_HOST} ^NOTFOUND`] : []),
  ];
  return openBrowser(t, 'chromium', [`--host-resolver-rules=${rules.join(', ')}`]);
}

/** Open a page with cookies of its own; it is closed when the test ends. */
export async function visit(t: TestContext, browser: Browser, url: string): Promise<Visit> {
  const context = await browser.createBrowserContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const urls: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => urls.push(request.url()));
  page.on('pageerror', (error) => errors.push(String(error)));
  const network = await page.createCDPSession();
  network.on('Network.webSocketCreated', (socket) => urls.push(socket.url));
  await network.send('Network.enable');
  await page.goto(url);
  return {
    page,
    urls,
    errors,
    cookies: async () => (await network.send('Network.getAllCookies')).cookies,
  };
}

/** The origins of URLs, each once; WebSockets count as what they are upgraded from. */
export function originsOf(urls: readonly string[]): string[] {
  const http = urls.map((url) => url.replace(/^ws/, 'http'));
  // Others come from no network: data, and what a frame shows that could not be loaded.
  const loaded = http.filter((url) => url.startsWith('http'));
  return [...new Set(loaded.map((url) => new URL(url).origin))].sort();
}
