import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import { holds, isPolled, openPage, sees, setState, startSite } from './site.ts';

const LOSSLESS = [[0, 1, 2, 3, 4]];

/** What the page of each transport may have seen at the end. */
const SEEN: Readonly<Record<string, readonly (readonly number[])[]>> = {
  sse: LOSSLESS,
  'own sse': LOSSLESS,
  ws: LOSSLESS,
  'ws by message': LOSSLESS,
  // Without cursors: each connection begins with the newest state.
  'own ws': [[0, 1, 3, 3, 4]],
  stream: LOSSLESS,
  'stream by XMLHttpRequest': LOSSLESS,
  multipart: LOSSLESS,
  poll: LOSSLESS,
  jsonp: LOSSLESS,
  iframe: LOSSLESS,
  'iframe direct': LOSSLESS,
  // State, not events: what it was in between need not be told.
  'plain GET that waits': [
    [0, 1, 3, 4],
    [0, 1, 2, 3, 4],
  ],
};

/**
 * Both browsers repeat a GET by themselves when a connection that was used before is reset before
 * the answer has begun: the page of a long poll notices nothing.
 */
const COMES_BACK_UNSEEN = ['poll', 'jsonp', 'plain GET that waits'];

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(`${name}: after a cut pages go on from their cursor`, options, async (t) => {
    const browser = await openBrowser(t, name);
    for (const [transport, expected] of Object.entries(SEEN)) {
      await t.test(`${transport}: nothing is lost and nothing repeated`, async (t) => {
        const site = await startSite(t);
        const page = await openPage(t, browser, site.url);
        await page.evaluate(`follow(${JSON.stringify(transport)}, '/state')`);
        await sees(page, 0);
        setState(site, 1);
        await sees(page, 1);

        // EventSource decides for itself when to come back, after two seconds at the earliest.
        await page.evaluate('isAway = true');
        site.cut();
        await page.evaluate('onSilence()');
        for (const state of [2, 3]) {
          setState(site, state);
          await isPolled(site);
        }
        await page.evaluate('isAway = false');
        await sees(page, 3);

        const opened = await page.evaluate('opened');
        site.cut();
        await page.evaluate('onSilence()');
        if (!COMES_BACK_UNSEEN.includes(transport)) await holds(page, `opened > ${opened}`);
        setState(site, 4);
        await sees(page, 4);
        const seen = JSON.stringify(await page.evaluate('seen'));
        assert.ok(expected.map((states) => JSON.stringify(states)).includes(seen), seen);
      });
    }
  });
}
