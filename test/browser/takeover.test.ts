import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Page } from 'puppeteer-core';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import { startTestProxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';
import type { Middle } from './middle.ts';
import { startMiddle } from './middle.ts';
import { LIBRARIES, POLLING, pollPages } from './poll-pages.ts';
import { holds, openPage } from './site.ts';

/*
 * Pages as they are, with nothing but the script before their own.
 */

const TAG = '<script src="/_comet/client.js"></script>';
const LIVE = {
  '/state': { every: '100ms' },
  '/rpc': {
    every: '100ms',
    method: 'POST',
    match: { body: { '/method': 'get' } },
    rpc: 'json-rpc',
  },
};

interface Scene {
  readonly upstream: Upstream;
  readonly middle: Middle;
  readonly start: () => Promise<void>;
  n: number;
}

/** A site, the proxy before it, and the network before that. */
async function startScene(t: TestContext): Promise<Scene> {
  const content = { ...pollPages(TAG), ...LIBRARIES };
  const upstream = await startUpstream(t, (req, res) => {
    const path = req.url?.split('?')[0] ?? '';
    const found = Object.hasOwn(content, path) ? content[path] : undefined;
    if (found) return void res.setHeader('content-type', found.type).end(found.body);
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      res.setHeader('content-type', 'application/json');
      const { n } = scene;
      if (path === '/state') return res.end(JSON.stringify({ n }));
      if (path !== '/rpc') return res.writeHead(404).end();
      const { id, method, set } = JSON.parse(Buffer.concat(chunks).toString());
      if (method === 'set') scene.n = set;
      res.end(JSON.stringify({ id, result: { n } }));
    });
  });
  const config = { site: upstream.url, live: LIVE, inject: ['/**'] };
  const proxy = await startTestProxy(t, config);
  const middle = await startMiddle(t, proxy.port);
  const scene: Scene = {
    upstream,
    middle,
    n: 0,
    async start() {
      const next = await startTestProxy(t, config);
      middle.port = next.port;
    },
  };
  return scene;
}

const shows = (page: Page, n: number) =>
  holds(page, `document.getElementById('n').textContent === '${n}'`);

/** Wait until a page sends no polls any more. */
async function isQuiet(page: Page, middle: Middle): Promise<void> {
  await holds(page, "comet.state === 'live'");
  const polls = () => middle.count('/state') + middle.count('/rpc');
  for (let before = -1; before !== polls(); ) {
    before = polls();
    // Three of its intervals, counted in the page: it may be slow.
    await page.evaluate('new Promise((resolve) => setTimeout(resolve, 1300))');
  }
}

for (const name of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(name), timeout: 600_000 };

  test(
    `${name}: the polls of an untouched page are answered from the stream`,
    options,
    async (t) => {
      const browser = await openBrowser(t, name);

      for (const path of POLLING) {
        await t.test(
          `${path}: no poll is on the wire, and the page follows the site`,
          async (t) => {
            const scene = await startScene(t);
            const { middle } = scene;
            const page = await openPage(t, browser, `${middle.url}${path}`);
            const errors: string[] = [];
            page.on('pageerror', (error) => errors.push(String(error)));
            await shows(page, 0);
            await isQuiet(page, middle);
            const polls = middle.count('/state') + middle.count('/rpc');
            assert.ok(polls >= 1 && polls <= 4, `${polls} polls`);
            for (const n of [1, 2, 3]) {
              scene.n = n;
              await shows(page, n);
            }
            assert.equal(middle.count('/state') + middle.count('/rpc'), polls);
            assert.deepEqual(errors, []);
          },
        );
      }
    },
  );

  test(`${name}: what breaks on the way`, options, async (t) => {
    const browser = await openBrowser(t, name);

    await t.test('without the stream the page polls, with it it does not', async (t) => {
      const scene = await startScene(t);
      const { middle } = scene;
      const page = await openPage(t, browser, `${middle.url}/jquery3`);
      await shows(page, 0);
      await isQuiet(page, middle);
      const quiet = middle.count('/state');
      middle.breakStreams();
      await until(() => middle.count('/state') > quiet + 2);
      scene.n = 1;
      await shows(page, 1);
      middle.mendStreams();
      await isQuiet(page, middle);
      const again = middle.count('/state');
      scene.n = 2;
      await shows(page, 2);
      assert.equal(middle.count('/state'), again);
    });

    await t.test('after a restart of the proxy the page is followed again', async (t) => {
      const scene = await startScene(t);
      const { middle } = scene;
      const page = await openPage(t, browser, `${middle.url}/xhr`);
      await isQuiet(page, middle);
      middle.breakStreams();
      await scene.start();
      middle.mendStreams();
      scene.n = 1;
      await shows(page, 1);
      await isQuiet(page, middle);
      const polls = middle.count('/state');
      scene.n = 2;
      await shows(page, 2);
      assert.equal(middle.count('/state'), polls);
    });

    await t.test('what a page has changed it sees by its next poll', async (t) => {
      const scene = await startScene(t);
      const { middle } = scene;
      const page = await openPage(t, browser, `${middle.url}/post`);
      await isQuiet(page, middle);
      const polls = middle.count('/rpc');
      await page.evaluate(`new Promise((resolve) => {
        const xhr = new XMLHttpRequest();
        xhr.open('POST', '/rpc');
        xhr.onload = () => { poll(); resolve(); };
        xhr.send('{"method":"set","set":7}');
      })`);
      await shows(page, 7);
      // The change, and the poll behind it.
      assert.ok(middle.count('/rpc') >= polls + 2);
      assert.equal(scene.n, 7);
    });
  });
}
