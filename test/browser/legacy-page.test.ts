import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { BrowserName } from '../support/browsers.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import { startRelay } from '../support/relay.ts';
import { startUpstream } from '../support/upstream.ts';

const BOARD = new URL('../../examples/operations-board/server.js', import.meta.url).href;

/** The example site, counting what reaches it, with the proxy before it. */
async function scene(t: TestContext): Promise<{ proxy: TestProxy; seen: string[] }> {
  const { createOperationsBoard } = (await import(BOARD)) as {
    createOperationsBoard: () => Server;
  };
  const board = createOperationsBoard();
  const seen: string[] = [];
  board.on('request', (req) => {
    const by = req.headers['user-agent']?.startsWith('comet-proxy/') ? 'poll' : 'page';
    seen.push(`${by} ${req.method} ${req.url?.split('?')[0]}`);
  });
  board.listen(0, '127.0.0.1');
  await once(board, 'listening');
  t.after(() => {
    board.closeAllConnections();
    board.close();
  });
  const { port } = board.address() as AddressInfo;
  const proxy = await startTestProxy(t, {
    site: `http://127.0.0.1:${port}`,
    live: {
      '/api/status': { every: '1s', vary: [] },
      '/api/orders': { every: '1s', vary: ['cookie:SESSION'] },
      '/camera.png': { every: '1s', vary: [], cacheControl: 'ignore' },
    },
  });
  return { proxy, seen };
}

for (const browser of ['chromium', 'firefox'] satisfies BrowserName[]) {
  const options = { skip: skipWithout(browser), timeout: 300_000 };

  test(
    `${browser}: an untouched page that polls works, its polls answered by the proxy`,
    options,
    async (t) => {
      const { proxy, seen } = await scene(t);
      const page = await (await openBrowser(t, browser)).newPage();
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(String(error)));

      await page.goto(`${proxy.url}/login`);
      await page.type('input[name=user]', 'anna');
      const password = await page.$('input[type=password]');
      await password?.type('x');
      await Promise.all([page.waitForNavigation(), page.click('input[type=submit], button')]);
      assert.match(await page.content(), /anna/i);

      const polled = ['/api/status', '/api/orders', '/camera.png'];
      // Twice each: the page goes on polling with the answers that it gets.
      await page.waitForFunction(
        `${JSON.stringify(polled)}.every((path) => performance.getEntriesByType('resource')
        .filter((entry) => entry.name.includes(path)).length >= 2)`,
        { timeout: 240_000 },
      );
      assert.deepEqual(errors, []);
      for (const path of polled) {
        assert.ok(seen.includes(`poll GET ${path}`), `${path} was polled`);
        const direct = seen.filter((entry) => entry === `page GET ${path}`);
        assert.deepEqual(direct, [], `no page reached ${path} itself`);
      }
    },
  );

  test(
    `${browser}: EventSource on the polled URL follows the state and resumes after a cut`,
    options,
    async (t) => {
      let value = 0;
      const upstream = await startUpstream(t, (req, res) => {
        if (req.url === '/') res.setHeader('content-type', 'text/html').end('<title>page</title>');
        else res.setHeader('content-type', 'application/json').end(JSON.stringify({ value }));
      });
      const proxy = await startTestProxy(t, {
        site: upstream.url,
        live: { '/api/status': { every: '50ms', vary: [] } },
      });
      const network = await startRelay(t, proxy.port);
      const page = await (await openBrowser(t, browser)).newPage();
      await page.goto(network.url);
      await page.evaluate(`
      window.seen = [];
      new EventSource('/api/status').onmessage = (event) => seen.push(JSON.parse(event.data).value);
    `);
      const reaches = (wanted: number) =>
        page.waitForFunction(`seen.at(-1) === ${wanted}`, { timeout: 240_000 });
      await reaches(0);
      for (const next of [1, 2, 3]) {
        value = next;
        await reaches(next);
      }
      // The browser comes back by itself, with its cursor.
      network.cut();
      value = 4;
      await reaches(4);
      assert.deepEqual(await page.evaluate('seen'), [0, 1, 2, 3, 4]);
    },
  );

  test(
    `${browser}: another origin's page cannot read a stream, unless it is listed`,
    options,
    async (t) => {
      const upstream = await startUpstream(t, (req, res) => {
        if (req.url === '/') res.setHeader('content-type', 'text/html').end('<title>page</title>');
        else res.setHeader('content-type', 'application/json').end('{"secret":1}');
      });
      const foreign = await startUpstream(t, (_req, res) =>
        res.setHeader('content-type', 'text/html').end('<title>other</title>'),
      );
      const live = { '/api/status': { every: '1s', vary: [] } };
      const closed = await startTestProxy(t, { site: upstream.url, live });
      const listed = await startTestProxy(t, { site: upstream.url, live, origins: [foreign.url] });
      const page = await (await openBrowser(t, browser)).newPage();
      await page.goto(foreign.url);
      const read = (base: string) =>
        page.evaluate(`new Promise((resolve) => {
        const source = new EventSource('${base}/api/status', { withCredentials: true });
        source.onmessage = (event) => resolve(event.data);
        source.onerror = () => resolve('refused');
      })`);
      assert.equal(await read(closed.url), 'refused');
      assert.equal(await read(listed.url), '{"secret":1}');
    },
  );
}
