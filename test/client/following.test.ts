import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Followed } from '../../src/client/live-states.ts';
import { createScene, names, openLive, openPage, PROOF_MS } from './scene.ts';

test('nobody is told within the call that follows', async () => {
  const browser = createScene();
  const page = await openLive(browser);
  let told = 0;
  const again = page.states.follow({ address: '/state' }, () => {
    told += 1;
  });
  assert.equal(told, 0);
  assert.equal(again.state?.data, '0');
  browser.proxy.set('/state', '1');
  await browser.time.settle();
  assert.equal(told, 1);
});

test('who follows an address with another ticket ends the follow with the one before', async () => {
  const browser = createScene();
  const page = openPage(browser, 'old');
  await browser.time.advance(PROOF_MS);
  const next = page.states.follow({ address: '/state', ticket: 'new' }, () => undefined);
  assert.equal(page.followed.lastWord, undefined, 'not within the call');
  await browser.time.advance(PROOF_MS);
  assert.deepEqual(page.followed.lastWord, { event: 'unauthorized', reason: 'ticket' });
  assert.equal(page.followed.isLive, false);
  assert.equal(next.lastWord, undefined);
  assert.ok(next.isLive);
});

test('a last word ends its address only, and whoever follows it again begins anew', async () => {
  const browser = createScene();
  browser.proxy.set('/other', '1');
  const page = await openLive(browser);
  const other = page.states.follow({ address: '/other' }, () => undefined);
  await browser.time.advance(PROOF_MS);
  browser.proxy.say('/state', 'unauthorized', { reason: 'ticket' });
  await browser.time.advance(PROOF_MS);
  assert.deepEqual(page.followed.lastWord, { event: 'unauthorized', reason: 'ticket' });
  assert.ok(other.isLive);
  const again = page.states.follow({ address: '/state' }, () => undefined);
  await browser.time.advance(PROOF_MS);
  assert.ok(again.isLive && other.isLive);
  assert.equal(page.followed.isLive, false);
});

test('an address that is refused ends alone, and the others go on', async () => {
  const browser = createScene();
  browser.proxy.notLive.add('/gone');
  const page = await openLive(browser);
  const gone = page.states.follow({ address: '/gone' }, () => undefined);
  await browser.time.advance(5_000);
  assert.deepEqual(gone.lastWord, { event: 'error', reason: 'NOT_LIVE' });
  assert.ok(page.followed.isLive);
  assert.deepEqual(browser.proxy.open, ['sse']);
});

test('a page that leaves all it follows has no stream after a while', async () => {
  const browser = createScene();
  const page = await openLive(browser);
  page.followed.leave();
  await browser.time.advance(20_000);
  assert.equal(page.states.state, 'idle');
  assert.deepEqual(browser.proxy.open, ['sse'], 'the next page may want the same');
  await browser.time.advance(20_000);
  assert.deepEqual(browser.proxy.open, []);
});

test('of more addresses than a stream may have the newest are live', async () => {
  const browser = createScene();
  const page = openPage(browser);
  const follows: Followed[] = [];
  for (let i = 0; i < 40; i++) {
    browser.proxy.set(`/a${i}`, '1');
    follows.push(page.states.follow({ address: `/a${i}` }, () => undefined));
  }
  await browser.time.advance(PROOF_MS);
  assert.equal(browser.proxy.connections[0]?.wants.length, 32);
  assert.deepEqual(
    follows.map(({ isLive }) => isLive),
    follows.map((_each, index) => index >= 8),
  );
});

test('addresses that are followed in a row are asked for together', async () => {
  const browser = createScene();
  const page = openPage(browser);
  for (const address of ['/a', '/b', '/c']) page.states.follow({ address }, () => undefined);
  await browser.time.advance(PROOF_MS);
  assert.equal(names(browser).length, 1);
});

test('a listener that throws keeps nobody from hearing', async () => {
  const browser = createScene();
  const page = await openLive(browser);
  page.states.follow({ address: '/state' }, () => {
    throw new Error('of the page');
  });
  const later = page.states.follow({ address: '/state' }, () => undefined);
  browser.proxy.set('/state', '1');
  await browser.time.settle();
  assert.equal(later.state?.data, '1');
  assert.ok(later.isLive);
});
