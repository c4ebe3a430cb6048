import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScene, names, openLive, openPage, PROOF_MS } from './scene.ts';

test('a stream is live when its second heartbeat is there, and not before', async () => {
  const browser = createScene();
  const page = openPage(browser);
  await browser.time.advance(400);
  assert.deepEqual(page.seen, ['0']);
  assert.equal(page.followed.isLive, false);
  assert.equal(page.states.state, 'connecting');
  await browser.time.advance(300);
  assert.equal(page.followed.isLive, true);
  assert.equal(page.states.state, 'live');
  assert.deepEqual(names(browser), ['sse']);
});

const FALLBACKS: Readonly<Record<string, readonly string[]>> = {
  stream: ['sse'],
  ws: ['sse', 'stream'],
  poll: ['sse', 'stream', 'ws'],
};

for (const [winner, losers] of Object.entries(FALLBACKS)) {
  for (const way of ['closed', 'buffered', 403] as const) {
    test(`${winner} is taken where ${losers} are ${way}; a long poll serves until then`, async () => {
      const browser = createScene();
      for (const name of losers) browser.proxy.ways[name] = way;
      const page = openPage(browser);
      await browser.time.advance(3_000);
      assert.equal(page.followed.isLive, true, 'by the long poll');
      await browser.time.advance(40_000);
      assert.deepEqual(browser.proxy.open, [winner]);
      assert.equal(page.followed.isLive, true);
      browser.proxy.set('/state', '1');
      await browser.time.advance(10);
      assert.deepEqual(page.seen, ['0', '1']);
    });
  }
}

test('what does not work is not tried by the next page of the tab', async () => {
  const browser = createScene();
  browser.proxy.ways['sse'] = 'buffered';
  const page = await openLive(browser);
  await browser.time.advance(30_000);
  assert.deepEqual(browser.proxy.open, ['stream']);
  page.fire('pagehide');
  const tried = names(browser).length;
  const next = browser.openTab();
  Object.assign(next.natives.window.sessionStorage, page.natives.window.sessionStorage);
  const { createLiveStates } = await import('../../src/client/states.ts');
  createLiveStates(next.natives, () => undefined).follow({ address: '/state' }, () => undefined);
  await browser.time.advance(PROOF_MS);
  assert.deepEqual(names(browser).slice(tried), ['stream']);
});

test('a transport of which two young streams die is left for ten minutes', async () => {
  const browser = createScene();
  const page = await openLive(browser);
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(browser.proxy.open, ['sse']);
    await browser.time.advance(10_000);
    browser.proxy.cut();
    assert.equal(page.followed.isLive, false);
    await browser.time.advance(2_500);
  }
  assert.deepEqual(browser.proxy.open, ['stream']);
  await browser.time.advance(600_000);
  browser.proxy.cut();
  await browser.time.advance(2_500);
  assert.deepEqual(browser.proxy.open, ['sse']);
});

test('streams that were old when they died count for nothing', async () => {
  const browser = createScene();
  await openLive(browser);
  for (let i = 0; i < 4; i++) {
    await browser.time.advance(31_000);
    browser.proxy.cut();
    await browser.time.advance(2_500);
  }
  assert.deepEqual(browser.proxy.open, ['sse']);
});

test('on another network everything is tried again', async () => {
  const browser = createScene();
  for (const name of ['sse', 'stream', 'ws']) browser.proxy.ways[name] = 'closed';
  const page = openPage(browser);
  await browser.time.advance(30_000);
  assert.deepEqual(browser.proxy.open, ['poll']);
  browser.proxy.ways['sse'] = 'open';
  page.fire('online');
  await browser.time.advance(PROOF_MS);
  assert.deepEqual(browser.proxy.open, ['sse']);
});

test('a browser without EventSource takes the next one', async () => {
  const browser = createScene();
  const page = openPage(browser, undefined, 'EventSource');
  await browser.time.advance(3_000);
  assert.deepEqual(browser.proxy.open, ['stream']);
  assert.equal(page.followed.isLive, true);
});
