import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Browser } from 'puppeteer-core';
import { launch } from 'puppeteer-core';

/** The browsers of Debian that pages are tried in. */
export const BROWSERS = {
  chromium: { path: '/usr/bin/chromium', install: 'apt-get install chromium' },
  firefox: { path: '/usr/bin/firefox-esr', install: 'apt-get install firefox-esr' },
} as const;

/** The name of a browser. */
export type BrowserName = keyof typeof BROWSERS;

/** For the `skip` of a test: false when the browser is here, else what to install. */
export function skipWithout(name: BrowserName): string | false {
  const { path, install } = BROWSERS[name];
  return existsSync(path) ? false : `${path} is missing: ${install}`;
}

/** As root, without a display, and without talking to its maker. */
const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Start a browser; it is closed when the test ends. @param flags - More of them, for Chromium. */
export async function openBrowser(
  t: TestContext,
  name: BrowserName,
  flags: readonly string[] = [],
): Promise<Browser> {
  const { path } = BROWSERS[name];
  const browser = await launch(
    name === 'chromium'
      ? {
          browser: 'chrome',
          executablePath: path,
          args: [...CHROMIUM_FLAGS, ...flags],
          timeout: 120_000,
        }
      : { browser: 'firefox', executablePath: path, headless: true, timeout: 120_000 },
  );
  t.after(() => browser.close());
  return browser;
}
