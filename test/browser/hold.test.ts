import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Page } from 'puppeteer-core';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import type { Site } from './site.ts';
import { holds, openPage, PUBLIC, sees, setState, startSite } from './site.ts';

/** A page as there are many: it asks again a moment after each answer. It knows of no proxy. */
const ASKS_AFTER_ANSWER = `
  window.asked = 0;
  (async function ask() {
    asked++;
    seen.push(await (await fetch('/state')).json());
    setTimeout(ask, 10);
  })();
`;

/** Another one: it asks by a timer, whether there is an answer yet or not. */
const ASKS_BY_TIMER = `
  window.asked = 0;
  setInterval(async () => {
    asked++;
    seen.push(await (await fetch('/state')).json());
  }, 10);
`;

/** A proxy whose time stands still: it polls the site for a plain request, or when time moves. */
async function startHolding(t: TestContext): Promise<[Site, FakeClock]> {
  const clock = createFakeClock();
  const live = { '/state': { ...PUBLIC, every: '1s', polls: 'hold', hold: '55s', timeout: '60s' } };
  return [await startSite(t, { live }, clock), clock];
}

/** Change the state, and move time just until the proxy has begun to ask for it. */
async function change(site: Site, clock: FakeClock, state: unknown): Promise<void> {
  setState(site, state);
  // Who was asked before has answered before: only a new request can bring the new state.
  const polls = site.upstream.count('/state') + 1;
  while (site.upstream.count('/state') < polls) {
    await clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(`${name}: the polls of an untouched page are held`, options, async (t) => {
    const browser = await openBrowser(t, name);

    await t.test('a page that asks after each answer asks once a change', async (t) => {
      const [site, clock] = await startHolding(t);
      const page = await openPage(t, browser, site.url);
      await page.evaluate(ASKS_AFTER_ANSWER);
      // The browser gives the validator by itself, so the second request is held.
      await holds(page, 'asked === 2');
      for (const state of [1, 2, 3]) {
        await change(site, clock, state);
        await sees(page, state);
      }
      await holds(page, 'asked === 5');
      assert.deepEqual(await page.evaluate('seen'), [0, 1, 2, 3]);
      const polls = site.upstream.requests.filter(({ url }) => url === '/state');
      const askers = new Set(polls.map(({ headers }) => headers['user-agent']?.split('/')[0]));
      assert.deepEqual([...askers], ['comet-proxy']);
    });

    await t.test(
      'a page that asks by a timer costs the site no more, and sees the change',
      async (t) => {
        const [site, clock] = await startHolding(t);
        const page = await openPage(t, browser, site.url);
        await page.evaluate(ASKS_BY_TIMER);
        await holds(page, 'asked >= 100 && seen.length > 0');
        // For the first request, and when the poll loop begins for those that are held.
        const polls = site.upstream.count('/state');
        assert.ok(polls <= 2, `${polls} polls`);
        await change(site, clock, 1);
        await sees(page, 1);
        assert.deepEqual([...new Set((await page.evaluate('seen')) as number[])], [0, 1]);
      },
    );

    // The browser's cache gives the validator, but the page itself has nothing to show yet.
    const visits: readonly (readonly [string, (t: TestContext, page: Page) => Promise<Page>])[] = [
      ['reloaded', (_, page) => page.reload().then(() => page)],
      ['opened in another tab', (t, page) => openPage(t, browser, page.url())],
    ];
    for (const [how, visit] of visits) {
      await t.test(`a page that polls and is ${how} shows the state at once`, async (t) => {
        const [site] = await startHolding(t);
        const page = await openPage(t, browser, site.url);
        await page.evaluate(ASKS_AFTER_ANSWER);
        await holds(page, 'asked === 2');
        const anew = await visit(t, page);
        await anew.evaluate(ASKS_AFTER_ANSWER);
        await sees(anew, 0);
      });
    }

    await t.test(
      'a page that is left between two polls shows the state when it is opened again',
      async (t) => {
        const [site] = await startHolding(t);
        const page = await openPage(t, browser, site.url);
        for (let visit = 0; visit < 2; visit++) {
          await page.goto(site.url);
          await page.evaluate(
            "void fetch('/state').then((a) => a.json()).then((s) => seen.push(s))",
          );
          await sees(page, 0);
        }
      },
    );
  });
}
