import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FakePage } from './scene.ts';
import { createScene, names, openLive, openPage, PROOF_MS } from './scene.ts';

const areLive = (pages: readonly FakePage[]) => pages.every(({ followed }) => followed.isLive);

test('five tabs share one stream, and all of them see each change', async () => {
  const browser = createScene();
  const pages = Array.from({ length: 5 }, () => openPage(browser));
  await browser.time.advance(PROOF_MS);
  assert.deepEqual(names(browser), ['sse']);
  assert.ok(areLive(pages));
  for (const state of ['1', '2']) {
    browser.proxy.set('/state', state);
    await browser.time.settle();
  }
  for (const { seen } of pages) assert.deepEqual(seen, ['0', '1', '2']);
  await browser.time.advance(120_000);
  assert.equal(names(browser).length, 1);
  assert.ok(areLive(pages));
});

test('a new tab has the state at once, without a new stream', async () => {
  const browser = createScene();
  await openLive(browser);
  const late = openPage(browser);
  await browser.time.settle();
  assert.deepEqual(late.seen, ['0']);
  assert.ok(late.followed.isLive);
  await browser.time.advance(60_000);
  assert.equal(names(browser).length, 1);
});

test('a tab that comes while the stream is being proven makes nobody wait', async () => {
  const browser = createScene();
  const first = openPage(browser);
  await browser.time.advance(300);
  const second = openPage(browser);
  await browser.time.advance(400);
  assert.ok(areLive([first, second]));
});

test('whoever takes over the stream does not take from others what it does not know', async () => {
  const browser = createScene();
  browser.proxy.set('/other', '1');
  const leader = await openLive(browser);
  openPage(browser);
  await browser.time.settle();
  const third = openPage(browser);
  const states: unknown[] = [];
  const other = third.states.follow({ address: '/other' }, () => states.push(other.state?.data));
  await browser.time.advance(PROOF_MS);
  leader.fire('pagehide');
  await browser.time.advance(PROOF_MS);
  assert.ok(other.isLive);
  assert.deepEqual([...new Set(states)], ['1']);
});

test('what another tab follows as well is added to the stream', async () => {
  const browser = createScene();
  browser.proxy.set('/other', '"o"');
  const first = await openLive(browser);
  const second = openPage(browser);
  const other = second.states.follow({ address: '/other' }, () => undefined);
  await browser.time.advance(PROOF_MS);
  assert.deepEqual(browser.proxy.open, ['sse']);
  assert.equal(other.state?.data, '"o"');
  assert.ok(other.isLive && areLive([first, second]));
  assert.equal(first.states.follow({ address: '/state' }, () => undefined).state?.data, '0');
});

for (const leaves of ['fire', 'crash'] as const) {
  test(`when the tab with the stream goes (${leaves}) another one goes on, and no change is lost`, async () => {
    const browser = createScene();
    const leader = await openLive(browser);
    const others = [openPage(browser), openPage(browser)];
    await browser.time.advance(1_000);
    leader[leaves]('pagehide');
    browser.proxy.set('/state', '1');
    await browser.time.advance(PROOF_MS);
    assert.deepEqual(browser.proxy.open, ['sse']);
    for (const { seen } of others) assert.deepEqual(seen, ['0', '1']);
    assert.ok(areLive(others));
    assert.deepEqual(leader.seen, ['0']);
  });
}

test('tabs are told that the stream has broken, and that it is back', async () => {
  const browser = createScene();
  const pages = [await openLive(browser), openPage(browser)];
  await browser.time.settle();
  browser.proxy.die();
  await browser.time.settle();
  assert.ok(!pages.some(({ followed }) => followed.isLive));
  assert.deepEqual(
    pages.map(({ states }) => states.state),
    ['down', 'down'],
  );
  browser.proxy.revive();
  await browser.time.advance(5_000);
  assert.ok(areLive(pages));
});

test('a tab that hears nothing of who has the stream helps itself, until it hears of it again', async () => {
  const browser = createScene();
  const leader = await openLive(browser);
  const other = openPage(browser);
  await browser.time.settle();
  leader.hang(true);
  await browser.time.advance(39_000);
  assert.equal(other.followed.isLive, false);
  await browser.time.advance(25_000);
  assert.equal(names(browser).length, 2);
  assert.ok(other.followed.isLive);
  browser.proxy.set('/state', '1');
  await browser.time.settle();
  assert.deepEqual(other.seen, ['0', '1']);
  leader.hang(false);
  await browser.time.advance(20_000);
  assert.equal(browser.proxy.open.length, 1);
  assert.ok(areLive([leader, other]));
});

test('a tab whose tickets are others sees its own state', async () => {
  const browser = createScene();
  const pages = ['one', 'two', 'one'].map((ticket) => openPage(browser, ticket));
  await browser.time.advance(PROOF_MS);
  const wants = browser.proxy.connections.at(-1)?.wants ?? [];
  assert.deepEqual(
    wants.map(({ url, ticket }) => [url, ticket]),
    [
      ['/state', 'one'],
      ['/state#two', 'two'],
    ],
  );
  assert.ok(areLive(pages));
});

for (const [away, back] of [
  ['pagehide', 'pageshow'],
  ['freeze', 'resume'],
] as const) {
  test(`a page that is put away (${away}) holds nothing, and comes back with its cursor`, async () => {
    const browser = createScene();
    const page = await openLive(browser);
    page.fire(away);
    assert.deepEqual(browser.proxy.open, []);
    assert.equal(page.followed.isLive, false);
    const other = await openLive(browser);
    assert.ok(other.followed.isLive, 'the lock was free');
    other.fire('pagehide');
    await browser.time.advance(600_000);
    page.fire(back);
    await browser.time.settle();
    assert.equal(page.followed.isLive, false);
    await browser.time.advance(PROOF_MS);
    assert.equal(browser.proxy.connections.at(-1)?.wants[0]?.since, 'e-1');
    assert.ok(page.followed.isLive);
    assert.deepEqual(page.seen, ['0']);
  });
}

test('a page that waits for the lock when it is put away does not get it', async () => {
  const browser = createScene();
  const leader = await openLive(browser);
  const other = openPage(browser);
  await browser.time.settle();
  other.fire('pagehide');
  leader.fire('pagehide');
  await browser.time.advance(5_000);
  assert.deepEqual(browser.proxy.open, []);
});

for (const missing of ['locks', 'BroadcastChannel', 'AbortController']) {
  test(`without ${missing} each tab has a stream of its own, by WebSocket if it can be`, async () => {
    const browser = createScene();
    const pages = [1, 2].map(() => openPage(browser, undefined, missing));
    await browser.time.advance(PROOF_MS);
    assert.deepEqual(browser.proxy.open, ['ws', 'ws']);
    assert.ok(areLive(pages));
  });
}

test('a tab that is alone without a WebSocket leaves its connection to others while it is hidden', async () => {
  const browser = createScene();
  browser.proxy.ways['ws'] = 'closed';
  const page = openPage(browser, undefined, 'locks');
  const { document } = page.natives.window;
  await browser.time.advance(5_000);
  assert.deepEqual(browser.proxy.open, ['sse']);
  Object.assign(document, { hidden: true });
  page.fire('visibilitychange');
  await browser.time.advance(60_000);
  assert.deepEqual(browser.proxy.open, []);
  assert.equal(page.followed.isLive, false);
  Object.assign(document, { hidden: false });
  page.fire('visibilitychange');
  await browser.time.advance(PROOF_MS);
  assert.deepEqual(browser.proxy.open, ['sse']);
  assert.ok(page.followed.isLive);
});

for (const [what, missing] of [
  ['a WebSocket', 'locks'],
  ['the stream of all tabs', ''],
] as const) {
  test(`a tab that is hidden keeps ${what}`, async () => {
    const browser = createScene();
    const page = openPage(browser, undefined, missing);
    // Before it is proven.
    await browser.time.advance(200);
    Object.assign(page.natives.window.document, { hidden: true });
    page.fire('visibilitychange');
    await browser.time.advance(60_000);
    browser.proxy.set('/state', '1');
    await browser.time.settle();
    assert.deepEqual(page.seen, ['0', '1']);
    assert.ok(page.followed.isLive);
    assert.equal(names(browser).length, 1);
  });
}

test('a tab that is gone without a word is forgotten, and what only it followed is left', async () => {
  const browser = createScene();
  browser.proxy.set('/other', '1');
  const page = await openLive(browser);
  const other = openPage(browser);
  other.states.follow({ address: '/other' }, () => undefined);
  await browser.time.advance(5_000);
  other.crash();
  await browser.time.advance(240_000);
  const wants = browser.proxy.connections.at(-1)?.wants.map(({ url }) => url);
  assert.deepEqual(wants, ['/state']);
  assert.ok(page.followed.isLive);
});
