import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'puppeteer-core';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { NASTY_TEXTS } from '../transport/nasty-texts.ts';
import { holds, openPage, PUBLIC, sees, setState, startSite } from './site.ts';

/** The clients of clients.js, and what the answers of each are encoded with. */
const TRANSPORTS: Readonly<Record<string, 'gzip' | 'nothing'>> = {
  sse: 'gzip',
  'own sse': 'gzip',
  ws: 'nothing',
  'ws by message': 'nothing',
  'own ws': 'nothing',
  stream: 'gzip',
  'stream by XMLHttpRequest': 'gzip',
  multipart: 'gzip',
  poll: 'nothing',
  jsonp: 'nothing',
  iframe: 'gzip',
  'iframe direct': 'gzip',
  'plain GET that waits': 'nothing',
};

const ATTACK = `</script><script>self.pwned=1;parent.pwned=1;parent.postMessage({pwned:1},'*')</script>
<!--<script><img src=x onerror="self.pwned=1;parent.pwned=1">`;

/** Written by hand: a literal would set the prototype in place of a member. */
const NASTY = `{"__proto__":{"polluted":1},"constructor":{"prototype":1},"texts":${JSON.stringify([
  ATTACK,
  ...NASTY_TEXTS.map(([, text]) => text),
])}}`;

/** Whether anything of a state has run or has reached a prototype, in the page or its frames. */
async function isHarmed(page: Page): Promise<boolean> {
  const found = await Promise.all(
    page.frames().map((frame) => frame.evaluate('self.pwned ?? ({}).polluted ?? 0')),
  );
  return found.some((value) => value !== 0);
}

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(`${name}: every transport brings a state to a page`, options, async (t) => {
    const browser = await openBrowser(t, name);
    for (const [transport, encoding] of Object.entries(TRANSPORTS)) {
      await t.test(`${transport}: changes arrive one by one, compressed or not`, async (t) => {
        const site = await startSite(t);
        const page = await openPage(t, browser, site.url);
        const encodings: string[] = [];
        page.on('response', (response) => {
          const { pathname } = new URL(response.url());
          if (pathname !== '/state' && !pathname.startsWith('/_comet/')) return;
          encodings.push(response.headers()['content-encoding'] ?? 'nothing');
        });
        await page.evaluate(`follow(${JSON.stringify(transport)}, '/state')`);
        await sees(page, 0);
        for (const state of [1, 2, 3]) {
          setState(site, state);
          await sees(page, state);
        }
        assert.deepEqual(await page.evaluate('seen'), [0, 1, 2, 3]);
        // Chromium reports no response of a WebSocket.
        if (encoding === 'gzip') await until(() => encodings.length > 0);
        assert.ok(
          encodings.every((each) => each === encoding),
          String(encodings),
        );
      });

      await t.test(`${transport}: two tabs follow the same URL at once`, async (t) => {
        const site = await startSite(t);
        // Caches let one request of a URL wait for another one's answer.
        const tabs = [await openPage(t, browser, site.url), await openPage(t, browser, site.url)];
        for (const tab of tabs) {
          await tab.evaluate(`follow(${JSON.stringify(transport)}, '/state')`);
          await sees(tab, 0);
        }
        setState(site, 1);
        for (const tab of tabs) await sees(tab, 1);
        for (const tab of tabs) assert.deepEqual(await tab.evaluate('seen'), [0, 1]);
      });

      await t.test(
        `${transport}: a nasty document arrives as it is, and nothing runs`,
        async (t) => {
          const site = await startSite(t, { live: { '/state': PUBLIC, '/text': PUBLIC } });
          site.content.set('/text', { type: 'text/html', body: ATTACK });
          site.content.set('/state', { type: 'application/json', body: NASTY });
          const page = await openPage(t, browser, site.url);
          await page.evaluate(
            "addEventListener('message', ({ data }) => data.pwned && (pwned = 1))",
          );
          await page.evaluate(`follow(${JSON.stringify(transport)}, '/state')`);
          await holds(page, 'seen.length > 0');
          assert.equal(
            await page.evaluate('JSON.stringify(seen[0])'),
            JSON.stringify(JSON.parse(NASTY)),
          );
          assert.equal(await isHarmed(page), false);

          const other = await openPage(t, browser, site.url);
          await other.evaluate(`follow(${JSON.stringify(transport)}, '/text')`);
          await holds(other, 'seen.length > 0');
          assert.equal(await other.evaluate('seen[0]'), ATTACK);
          assert.equal(await isHarmed(other), false);
        },
      );
    }

    for (const transport of ['iframe', 'iframe direct']) {
      await t.test(`${transport}: heartbeats reach the page`, async (t) => {
        const clock = createFakeClock();
        // No poll falls due in between: it could not end while the clock stands still.
        const live = { '/state': { ...PUBLIC, every: '60s' } };
        const site = await startSite(t, { live }, clock);
        const page = await openPage(t, browser, site.url);
        await page.evaluate(`follow(${JSON.stringify(transport)}, '/state')`);
        await sees(page, 0);
        const beats = await page.evaluate('heartbeats');
        await clock.advance(15_000);
        await holds(page, `heartbeats > ${beats}`);
      });
    }

    for (const transport of ['stream by XMLHttpRequest', 'iframe', 'iframe direct']) {
      await t.test(`${transport}: after maxBytes the page goes on from its cursor`, async (t) => {
        const site = await startSite(t);
        const page = await openPage(t, browser, site.url);
        await page.evaluate(
          `follow(${JSON.stringify(transport)}, '/state', { more: '&maxBytes=4096' })`,
        );
        const states = [1, 2, 3].map((n) => [n, 'x'.repeat(4_096)]);
        for (const state of states) {
          setState(site, state);
          await sees(page, state);
        }
        setState(site, 'end');
        await sees(page, 'end');
        const seen = await page.evaluate('JSON.stringify(seen.slice(seen[0] === 0 ? 1 : 0))');
        assert.equal(seen, JSON.stringify([...states, 'end']));
        assert.ok(Number(await page.evaluate('opened')) > 3);
      });
    }
  });
}
