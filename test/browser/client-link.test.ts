import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Browser, Page } from 'puppeteer-core';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import { startTestProxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';
import type { Middle } from './middle.ts';
import { startMiddle } from './middle.ts';
import { holds, openPage } from './site.ts';

/*
 * The states that the script keeps current, by what pages can use of it: `comet.subscribe`.
 */

const FILLER = 'x'.repeat(300);

const PAGE = `<!doctype html><title>link</title><script src="/_comet/client.js"></script><script>
  var seen = [], isLive = false, ended;
  function watch() {
    return comet.subscribe('/state?_=1', function (change) {
      isLive = change.isLive;
      ended = change.ended;
      if (seen[seen.length - 1] !== change.data.n) seen.push(change.data.n);
    });
  }
  watch();
</script>`;

interface Scene {
  readonly middle: Middle;
  /** Where the page is. */
  readonly url: string;
  /** The state of the site. */
  n: number;
  /** How often the site was asked for it. */
  polls(): number;
  /** Put another proxy in the place of the one that is there. */
  restart(): Promise<void>;
}

async function startScene(t: TestContext): Promise<Scene> {
  const upstream = await startUpstream(t, (req, res) => {
    const path = req.url?.split('?')[0];
    if (path === '/') return res.setHeader('content-type', 'text/html').end(PAGE);
    if (path !== '/state' && path !== '/private') return res.writeHead(404).end();
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ n: scene.n, filler: FILLER, cookie: req.headers.cookie }));
  });
  const live = {
    '/state': { every: '50ms', vary: [], ignoreQuery: ['_'], patch: 'json' },
    '/private': { every: '50ms', vary: ['cookie'] },
  };
  const config = { site: upstream.url, live, inject: ['/none'] };
  const middle = await startMiddle(t, (await startTestProxy(t, config)).port);
  const scene: Scene = {
    middle,
    url: `${middle.url}/`,
    n: 0,
    polls: () => upstream.count('/state'),
    async restart() {
      middle.breakStreams();
      middle.port = (await startTestProxy(t, config)).port;
      middle.mendStreams();
    },
  };
  return scene;
}

/** What the script may not use, as an earlier page of the tab would have found out. */
async function forbid(page: Page, ...transports: string[]): Promise<void> {
  const bans = Object.fromEntries(transports.map((name) => [name, Date.now() + 3_600_000]));
  await page.evaluateOnNewDocument(`try {
    sessionStorage['comet-bans'] = sessionStorage['comet-bans'] || '${JSON.stringify(bans)}';
  } catch {}`);
}

const isLive = (page: Page) => holds(page, "isLive && comet.state === 'live'");
const sees = (page: Page, n: number) => holds(page, `seen[seen.length - 1] === ${n}`);

/** The site changes; the pages see it. */
async function change(scene: Scene, pages: readonly Page[], n: number): Promise<void> {
  scene.n = n;
  for (const page of pages) await sees(page, n);
}

/** The site changes, and the proxy knows. */
async function changeUnseen(scene: Scene, n: number): Promise<void> {
  scene.n = n;
  const before = scene.polls();
  await until(() => scene.polls() > before + 2);
}

/** Tabs of one browser, of which tests may close some. */
async function openTabs(t: TestContext, browser: Browser, url: string, count: number) {
  const tabs: Page[] = [];
  t.after(() => Promise.all(tabs.filter((tab) => !tab.isClosed()).map((tab) => tab.close())));
  for (let i = 0; i < count; i++) {
    const tab = await browser.newPage();
    tabs.push(tab);
    await tab.goto(url);
  }
  for (const tab of tabs) await isLive(tab);
  return tabs;
}

/** The page asks for what is private, and follows it as the answer says. */
function followPrivate(page: Page): Promise<unknown> {
  return page.evaluate(`(async () => {
    document.cookie = 'who=me';
    const header = (await fetch('/private')).headers.get('comet-live');
    const [, address, ticket] = /^"([^"]*)".*;ticket="([^"]*)"/.exec(header);
    __comet.use('link', ({ states }) => {
      mine = states.follow({ address, ticket }, () => {});
    });
  })()`);
}

const ORDER = ['sse', 'stream', 'ws', 'poll'];

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(`${name}: the script keeps a state current`, options, async (t) => {
    const browser = await openBrowser(t, name);

    for (const [index, transport] of ORDER.entries()) {
      await t.test(
        `by ${transport}: each change arrives, and none twice after a cut`,
        async (t) => {
          const scene = await startScene(t);
          const { middle } = scene;
          const page = await browser.newPage();
          t.after(() => page.close());
          await forbid(page, ...ORDER.slice(0, index));
          await page.goto(scene.url);
          await isLive(page);
          for (const n of [1, 2]) await change(scene, [page], n);
          middle.breakStreams();
          // A long poll that is cut is sent again by browsers: they are not told of the first cut.
          await holds(page, '!isLive');
          for (const n of [3, 4]) await changeUnseen(scene, n);
          middle.mendStreams();
          await sees(page, 4);
          await isLive(page);
          await change(scene, [page], 5);
          const seen = (await page.evaluate('seen')) as number[];
          assert.deepEqual(seen, seen.toSorted(), String(seen));
          assert.equal(new Set(seen).size, seen.length, String(seen));
          assert.ok(middle.count(`/_comet/${transport}`) >= 2);
          const others = ORDER.slice(0, index).map((other) => middle.count(`/_comet/${other}`));
          assert.ok(others.every((count) => count === 0));
        },
      );
    }

    await t.test('through what buffers answers it polls', async (t) => {
      const scene = await startScene(t);
      scene.middle.isBuffering = true;
      const page = await openPage(t, browser, scene.url);
      await isLive(page);
      await change(scene, [page], 1);
      await holds(
        page,
        "Object.keys(JSON.parse(sessionStorage['comet-bans'] || '{}')).length === 3",
      );
      await change(scene, [page], 2);
      assert.equal(await page.evaluate('comet.state'), 'live');
    });

    await t.test('an address that is not live is refused alone', async (t) => {
      const scene = await startScene(t);
      const [page] = await openTabs(t, browser, scene.url, 1);
      await page?.evaluate(`comet.subscribe('/none', function (change) { none = change.ended })`);
      await holds(page as Page, "typeof none === 'string' && none === 'error'");
      await isLive(page as Page);
      await change(scene, [page as Page], 1);
    });

    await t.test('five tabs have one stream; when its tab goes another one goes on', async (t) => {
      const scene = await startScene(t);
      const tabs = await openTabs(t, browser, scene.url, 5);
      await until(() => scene.middle.openStreams === 1);
      for (const n of [1, 2]) await change(scene, tabs, n);
      const [first, ...others] = tabs;
      await first?.close();
      await changeUnseen(scene, 3);
      await change(scene, others, 4);
      for (const tab of others) await isLive(tab);
      await until(() => scene.middle.openStreams === 1);
      for (const tab of others) {
        const seen = ((await tab.evaluate('seen')) as number[]).filter((n) => n !== 3);
        assert.deepEqual(seen, [0, 1, 2, 4]);
      }
    });

    await t.test('a page that one comes back to is live again', async (t) => {
      const scene = await startScene(t);
      const page = await openPage(t, browser, scene.url);
      await isLive(page);
      await page.evaluate('kept = true');
      await page.goto(`${scene.url}state`);
      await until(() => scene.middle.openStreams === 0);
      await changeUnseen(scene, 1);
      await page.goBack();
      await sees(page, 1);
      await isLive(page);
      // Firefox keeps no page that has a stream or a lock when it is left, whatever it lets go then.
      if (name === 'chromium') assert.equal(await page.evaluate('kept'), true);
      await change(scene, [page], 2);
    });

    await t.test(
      'after a restart a public address goes on, and a ticket is told that it is over',
      async (t) => {
        const scene = await startScene(t);
        const page = await openPage(t, browser, scene.url);
        await followPrivate(page);
        await holds(page, "typeof mine === 'object' && mine.isLive");
        assert.equal(await page.evaluate('JSON.parse(mine.state.data).cookie'), 'who=me');
        await scene.restart();
        await holds(page, 'mine.lastWord !== undefined');
        assert.deepEqual(await page.evaluate('mine.lastWord'), {
          event: 'unauthorized',
          reason: 'ticket',
        });
        await isLive(page);
        await change(scene, [page], 1);
      },
    );
  });
}

test('chromium: over plain http each tab has a WebSocket of its own', {
  skip: skipWithout('chromium'),
  timeout: 600_000,
}, async (t) => {
  // Only there are no locks, and no Sec-Fetch-Site.
  const browser = await openBrowser(t, 'chromium', [
    '--host-resolver-rules=MAP site.test 127.0.0.1',
  ]);
  const scene = await startScene(t);
  const tabs = await openTabs(t, browser, scene.url.replace('127.0.0.1', 'site.test'), 2);
  assert.equal(await tabs[0]?.evaluate('isSecureContext'), false);
  await until(() => scene.middle.openStreams === 2);
  assert.ok(scene.middle.count('/_comet/ws') >= 2);
  assert.equal(scene.middle.count('/_comet/sse'), 0);
  await change(scene, tabs, 1);
  for (const tab of tabs) {
    await followPrivate(tab);
    await holds(tab, "typeof mine === 'object' && mine.isLive");
  }
});
