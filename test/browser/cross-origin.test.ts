import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import { startUpstream } from '../support/upstream.ts';
import { picture } from './pictures.ts';
import type { Site } from './site.ts';
import { openPage, PUBLIC, sees, startSite } from './site.ts';

const TRIES = readFileSync(new URL('foreign.js', import.meta.url));

const LIVE = {
  '/state': PUBLIC,
  '/camera': PUBLIC,
  '/private': { ...PUBLIC, vary: ['cookie'] },
};

/** Another site's page: of the same host under another port, or of another host. */
async function openForeign(t: TestContext, browser: Browser, host: string): Promise<Page> {
  const site = await startUpstream(t, (req, res) => {
    if (req.url === '/tries.js') res.setHeader('content-type', 'text/javascript').end(TRIES);
    else {
      const page = '<!doctype html><title>other</title><body><script src="/tries.js"></script>';
      res.setHeader('content-type', 'text/html').end(page);
    }
  });
  return openPage(t, browser, `http://${host}:${site.port}/`);
}

async function startLive(t: TestContext, origins: readonly string[] = []): Promise<Site> {
  const site = await startSite(t, { live: LIVE, origins });
  site.content.set('/state', { type: 'application/json', body: '"secret"' });
  site.content.set('/private', { type: 'application/json', body: '"secret"' });
  site.content.set('/camera', picture('png', [255, 0, 0]));
  return site;
}

/** What a page learns by one of the ways of foreign.js. */
async function learns(page: Page, way: string, base: string, url = '/state'): Promise<string> {
  const script = `tries[${JSON.stringify(way)}](${JSON.stringify(base)}, ${JSON.stringify(url)})`;
  return (await page.evaluate(script)) as string;
}

/** The codes of what the proxy has refused, without those of pages' decorations. */
function refusals({ proxy }: Site): unknown[] {
  return proxy.lines
    .filter(({ message }) => message.startsWith('refused: '))
    .map(({ fields }) => fields['code']);
}

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(`${name}: a page of another origin`, options, async (t) => {
    const browser = await openBrowser(t, name);

    for (const host of ['127.0.0.1', 'localhost']) {
      await t.test(`from ${host}: it learns nothing in any way`, async (t) => {
        const site = await startLive(t);
        const page = await openForeign(t, browser, host);
        const ways = (await page.evaluate('Object.keys(tries)')) as string[];
        assert.ok(ways.length > 10);
        for (const way of ways) {
          const before = refusals(site).length;
          assert.equal(await learns(page, way, site.proxy.url), 'nothing', way);
          const codes = refusals(site).slice(before);
          const code = way === 'a stream as a script' ? 'WRONG_DESTINATION' : 'CROSS_SITE';
          assert.ok(codes.length > 0 && codes.every((each) => each === code), `${way}: ${codes}`);
        }
        for (const url of Object.keys(LIVE)) assert.equal(site.upstream.count(url), 0, url);
      });
    }

    for (const host of ['127.0.0.1', 'localhost']) {
      await t.test(`from ${host}, listed: it may read, by what proves who it is`, async (t) => {
        const page = await openForeign(t, browser, host);
        const site = await startLive(t, [new URL(page.url()).origin]);
        const base = site.proxy.url;
        const ways = (await page.evaluate('Object.keys(tries)')) as string[];
        const refused = [
          'fetch without CORS',
          'a stream as a script',
          'iframe',
          'iframe that lies about its origin',
          'direct iframe',
          'image element',
        ];
        for (const way of ways) {
          const learned = await learns(page, way, base);
          if (refused.includes(way)) assert.equal(learned, 'nothing', way);
          else assert.match(learned, /secret/, way);
        }
        // Who includes a script is known by no more than a Referer.
        assert.doesNotMatch(await learns(page, 'jsonp', base, '/private'), /secret/);
        assert.match(await learns(page, 'EventSource', base, '/private'), /secret/);
      });
    }

    await t.test('it gains nothing by naming an origin that is listed', async (t) => {
      const page = await openForeign(t, browser, '127.0.0.1');
      const listed = await openForeign(t, browser, '127.0.0.1');
      const { origin } = new URL(listed.url());
      const site = await startLive(t, [origin]);
      const more = `&origin=${encodeURIComponent(origin)}`;
      const address = `${site.proxy.url}/_comet/iframe?url=/state${more}`;
      const learned = (from: Page) => from.evaluate(`byFrame(${JSON.stringify(address)})`);
      assert.match(String(await learned(listed)), /secret/);
      assert.equal(await learned(page), 'nothing');
    });

    await t.test(
      'a page of our own that isolates itself can use every form of iframe',
      async (t) => {
        const site = await startLive(t);
        for (const transport of ['iframe', 'iframe direct']) {
          const page = await openPage(t, browser, `${site.url}/isolated`);
          assert.equal(await page.evaluate('crossOriginIsolated'), true);
          await page.evaluate(`follow(${JSON.stringify(transport)}, '/state')`);
          await sees(page, 'secret');
        }
      },
    );
  });
}
