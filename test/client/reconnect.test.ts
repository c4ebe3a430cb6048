import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScene, names, openLive, openPage, PROOF_MS } from './scene.ts';

const LAST = (browser: ReturnType<typeof createScene>) => browser.proxy.connections.at(-1);

test('after a cut the page goes on from its cursor, with nothing lost and nothing told twice', async () => {
  const browser = createScene();
  const page = await openLive(browser);
  browser.proxy.set('/state', '1');
  browser.proxy.cut();
  await browser.time.settle();
  assert.equal(page.followed.isLive, false);
  browser.proxy.set('/state', '2');
  await browser.time.advance(2_000);
  assert.deepEqual(page.seen, ['0', '1', '2']);
  assert.equal(LAST(browser)?.wants[0]?.since, 'e-2');
  assert.equal(page.followed.isLive, true);
});

test('a state is live again only when it has been confirmed', async () => {
  const browser = createScene();
  const page = await openLive(browser);
  browser.proxy.cut();
  await browser.time.advance(2_000);
  assert.equal(page.followed.isLive, true);
  assert.deepEqual(page.seen, ['0']);
  browser.proxy.say('/state', 'stale', { code: 'UPSTREAM_RESET' });
  await browser.time.advance(1);
  assert.equal(page.followed.isLive, false);
  browser.proxy.set('/state', '1');
  await browser.time.advance(1);
  assert.equal(page.followed.isLive, false, 'not before fresh');
  browser.proxy.say('/state', 'fresh');
  await browser.time.advance(1);
  assert.equal(page.followed.isLive, true);
});

test('a proxy that asks to be left alone for a while is', async () => {
  const browser = createScene();
  const page = await openLive(browser);
  browser.proxy.retry(5_000);
  await browser.time.advance(1_000);
  page.states.follow({ address: '/more' }, () => undefined);
  await browser.time.advance(3_900);
  assert.equal(names(browser).length, 1);
  await browser.time.advance(200);
  assert.deepEqual(browser.proxy.open, ['sse']);
});

test('a refusal for now is obeyed: Retry-After', async () => {
  const browser = createScene();
  for (const name of ['sse', 'stream', 'ws', 'poll']) browser.proxy.ways[name] = 503;
  const page = openPage(browser);
  await browser.time.advance(PROOF_MS);
  assert.deepEqual(names(browser), ['sse', 'poll']);
  await browser.time.advance(19_000);
  assert.equal(names(browser).length, 2);
  for (const name of ['sse', 'poll']) browser.proxy.ways[name] = 'open';
  await browser.time.advance(2_000);
  assert.equal(page.followed.isLive, true);
  assert.deepEqual(browser.proxy.open, ['sse']);
});

test('a proxy that is away is asked ever less often, and never twice at once', async () => {
  const browser = createScene();
  browser.proxy.die();
  const page = openPage(browser);
  await browser.time.advance(120_000);
  const asked = names(browser).length;
  assert.ok(asked > 6 && asked < 40, String(asked));
  assert.equal(page.states.state, 'down');
  await browser.time.advance(600_000);
  const more = names(browser).length - asked;
  assert.ok(more >= 2 * 20 && more < 2 * 80, String(more));
  browser.proxy.revive();
  await browser.time.advance(31_000);
  assert.equal(page.states.state, 'live');
  assert.deepEqual(browser.proxy.open, ['sse'], 'it was not the transport');
});

test('a transport that fails while nothing gets through is not to blame', async () => {
  const browser = createScene();
  browser.proxy.die();
  openPage(browser);
  await browser.time.advance(60_000);
  browser.proxy.ways['sse'] = 'closed';
  browser.proxy.revive();
  const asked = names(browser).length;
  while (names(browser).length < asked + 2) await browser.time.advance(1);
  assert.deepEqual(names(browser).slice(asked), ['sse', 'poll']);
  browser.proxy.ways['sse'] = 'open';
  await browser.time.advance(2_000);
  assert.deepEqual(browser.proxy.open, ['sse']);
});

test('a connection that has gone silent is given up after two and a half heartbeats', async () => {
  const browser = createScene();
  const page = await openLive(browser);
  browser.proxy.vanish();
  await browser.time.advance(36_000);
  assert.equal(names(browser).length, 1);
  await browser.time.advance(8_000);
  assert.equal(names(browser).length, 2);
  assert.equal(page.followed.isLive, true);
});

test('a long poll that is not answered is given up too', async () => {
  const browser = createScene();
  for (const name of ['sse', 'stream', 'ws']) browser.proxy.ways[name] = 'closed';
  const page = openPage(browser);
  await browser.time.advance(20_000);
  const asked = names(browser).length;
  browser.proxy.vanish();
  await browser.time.advance(15_000);
  assert.equal(names(browser).length, asked);
  await browser.time.advance(35_000);
  assert.ok(names(browser).length > asked);
  assert.equal(page.followed.isLive, true);
});

test('when a computer wakes up nothing is live that was not heard of, before any timer runs', async () => {
  const browser = createScene();
  const page = await openLive(browser);
  browser.proxy.vanish();
  browser.time.sleep(3_600_000);
  assert.equal(page.followed.isLive, false);
  page.fire('visibilitychange');
  await browser.time.advance(2_000);
  assert.equal(page.followed.isLive, true);
});

test('a clock that was put back makes nothing live for longer', async () => {
  const browser = createScene();
  const page = await openLive(browser);
  browser.time.sleep(-3_600_000);
  assert.equal(page.followed.isLive, false);
  await browser.time.advance(8_000);
  assert.equal(page.followed.isLive, true);
});

test('patches are applied, and validators of the state before are not kept', async () => {
  const browser = createScene();
  browser.proxy.set('/state', '{"a":1,"b":[1]}');
  const page = await openLive(browser);
  assert.ok(page.followed.state?.headers['etag']);
  browser.proxy.set('/state', '{"a":2,"b":[1]}', {
    type: 'application/merge-patch+json',
    data: { a: 2 },
  });
  browser.proxy.set('/state', '{"a":2,"b":[1,2]}', {
    type: 'application/json-patch+json',
    data: [{ op: 'add', path: '/b/1', value: 2 }],
  });
  await browser.time.advance(1);
  assert.equal(page.followed.state?.data, '{"a":2,"b":[1,2]}');
  assert.deepEqual(page.followed.state?.headers, { 'content-type': 'application/json' });
  assert.equal(page.followed.isLive, true);
});

test('a patch that does not fit makes the stream begin again, without a cursor', async () => {
  const browser = createScene();
  const page = await openLive(browser);
  browser.proxy.set('/state', '{"a":2}', {
    type: 'application/json-patch+json',
    data: [{ op: 'replace', path: '/a', value: 2 }],
  });
  await browser.time.settle();
  assert.equal(page.followed.isLive, false);
  await browser.time.advance(2_000);
  assert.equal(LAST(browser)?.wants[0]?.since, undefined);
  assert.equal(page.followed.state?.data, '{"a":2}');
  assert.equal(page.followed.isLive, true);
});
