import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Page } from 'puppeteer-core';
import { parseConfig } from '../../src/config/load.ts';
import { discover } from '../../src/discovery/discovery.ts';
import { readTraffic } from '../../src/discovery/read-traffic.ts';
import { FILE_LIMITS, Traffic } from '../../src/discovery/traffic.ts';
import type { DiscoveryReport } from '../../src/shared/discovery-report.ts';
import { openBrowser, skipWithout } from '../support/browsers.ts';
import { until } from '../support/until.ts';
import { recordHar } from './har-recorder.ts';

const BOARD = new URL('../../examples/operations-board/server.js', import.meta.url).href;

async function startBoard(t: TestContext): Promise<string> {
  const { createOperationsBoard } = (await import(BOARD)) as {
    createOperationsBoard: () => Server;
  };
  const board = createOperationsBoard();
  board.listen(0, '127.0.0.1');
  await once(board, 'listening');
  t.after(() => {
    board.closeAllConnections();
    board.close();
  });
  return `http://127.0.0.1:${(board.address() as AddressInfo).port}`;
}

async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/login`);
  await page.type('input[name=user]', 'anna');
  const password = await page.$('input[type=password]');
  await password?.type('x');
  await Promise.all([page.waitForNavigation(), page.click('input[type=submit], button')]);
}

async function discoverIn(har: string): Promise<DiscoveryReport> {
  const traffic = new Traffic({ limits: FILE_LIMITS, key: [1, 2], texts: 'keep' });
  async function* chunks() {
    yield Buffer.from(har);
  }
  const { unreadable, problem } = await readTraffic(chunks(), 'board.har', traffic);
  assert.deepEqual([unreadable, problem], [0, undefined]);
  return discover(traffic, { kind: 'files', unreadable });
}

test('chromium: in a recording of the operations board its three polls are found, and nothing else', {
  skip: skipWithout('chromium'),
  timeout: 300_000,
}, async (t) => {
  const url = await startBoard(t);
  const page = await (await openBrowser(t, 'chromium')).newPage();
  const recorder = await recordHar(page);
  await signIn(page, url);
  // Timers of a busy machine are late: however long it takes until they can be told for sure.
  let report = await discoverIn(recorder.har());
  for (let wanted = 20; report.found.length < 3 && wanted < 400; wanted += 10) {
    await until(() => recorder.size >= wanted);
    report = await discoverIn(recorder.har());
  }
  t.diagnostic(`after ${recorder.size} requests`);
  const found = report.found.map(({ path, kind, pages, sharing }) => [
    path,
    kind,
    pages.join(),
    sharing.kind,
  ]);
  assert.deepEqual(found.sort(), [
    ['/api/orders', 'poll', '/', 'personal'],
    ['/api/status', 'poll', '/', 'unknown'],
    ['/camera.png', 'image', '/', 'unknown'],
  ]);
  const near = (path: string, ms: number) => {
    const every = report.found.find((one) => one.path === path)?.intervalMs ?? 0;
    assert.ok(Math.abs(every - ms) <= ms * 0.12, `${path} every ${every}`);
  };
  near('/api/status', 2_000);
  near('/api/orders', 3_000);
  near('/camera.png', 2_000);
  const { live } = parseConfig(`{"site": "${url}", ${report.config}}`, 'x', { variables: {} });
  const vary = Object.values(live).map(([endpoint]) => endpoint?.vary);
  assert.deepEqual(vary, Array(3).fill([{ kind: 'cookie', name: 'SESSION' }]));
});
