import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import type { BrowserName } from '../support/browsers.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

/** As they are shipped. Firefox is given what browsers without ES2017 get: it must be as good. */
const SCRIPTS = { chromium: 'morph.js', firefox: 'morph.es5.js' } as const;

/** What the script says of a change. */
export interface MorphResult {
  readonly changed: number;
  readonly reload?: true;
  readonly reason?: string;
  readonly isEdited?: boolean;
}

/** How a page is served. */
export interface Served {
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A tab whose page is changed by the script. */
export interface MorphPage {
  readonly page: Page;
  /** What serves the pages; all it is asked for besides is an empty answer. */
  readonly site: Upstream;
  /** Load a page, and the script into it. */
  load(html: string, served?: Served): Promise<void>;
  /** The server has this page now. */
  become(html: string): Promise<MorphResult>;
  /** The same, with nothing known of what the page was loaded from. */
  becomeUnknown(html: string): Promise<MorphResult>;
  /** Evaluate an expression in the page. */
  ask(expression: string): Promise<unknown>;
}

/** Open a tab, which is closed with the browser. */
export async function openMorphPage(
  t: TestContext,
  browser: Browser,
  name: BrowserName,
): Promise<MorphPage> {
  const script = readFileSync(
    new URL(`../../dist/client/${SCRIPTS[name]}`, import.meta.url),
    'utf8',
  );
  let shown = '';
  let answer: Served = {};
  const site = await startUpstream(t, (req, res) => {
    if (req.url !== '/') {
      res.end();
      return;
    }
    const { contentType = 'text/html; charset=utf-8', headers } = answer;
    res.writeHead(200, { 'content-type': contentType, ...headers }).end(shown);
  });
  const page = await browser.newPage();
  const morph = async (next: string, previous: string | undefined) => {
    const contentType = answer.contentType ?? 'text/html';
    const result = (await page.evaluate(
      `__comet.part.morph(...${JSON.stringify([next, previous ?? null, { contentType }])}.map((part) => part ?? undefined))`,
    )) as MorphResult;
    if (!result.reload) shown = next;
    return result;
  };
  return {
    page,
    site,
    async load(html, served = {}) {
      [shown, answer] = [html, served];
      await page.goto(site.url);
      await page.evaluate(
        `window.__comet = { provide(name, part) { this.part = part; } }; ${script}`,
      );
    },
    become: (html) => morph(html, shown),
    becomeUnknown: (html) => morph(html, undefined),
    ask: (expression) => page.evaluate(expression),
  };
}

/** A page with this body. */
export function pageOf(body: string, head = '<title>page</title>'): string {
  return `<!doctype html>\n<html>\n<head>${head}</head>\n<body>\n${body}\n</body>\n</html>\n`;
}
