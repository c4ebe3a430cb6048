import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, jsonAnswer } from '../poll/scripted-fetch.ts';
import type { TestFeed } from './test-feed.ts';
import { createTestFeed, EVERY_MS, LINGER_MS } from './test-feed.ts';

/** The body that a plain request gets now, or `undefined` when it has to go upstream. */
async function refresh({ feed, clock }: TestFeed): Promise<string | undefined> {
  const state = feed.refresh();
  await clock.advance(0);
  const event = await state;
  return event && Buffer.from(event.data).toString();
}

test('plain requests without streams cost one poll an interval, and share it', async () => {
  const test = createTestFeed();
  for (let i = 0; i < 10; i++) assert.equal(await refresh(test), '{"n":1}');
  assert.equal(test.script.sent.length, 1);
  await test.clock.advance(EVERY_MS - 1);
  assert.equal(await refresh(test), '{"n":1}');
  assert.equal(test.script.sent.length, 1);
});

test('when the state is as old as the interval it is shown to nobody any more', async () => {
  const test = createTestFeed();
  await refresh(test);
  await test.clock.advance(EVERY_MS - 1);
  await refresh(test);
  assert.equal(test.closedCount, 0);
  await test.clock.advance(1);
  assert.equal(test.closedCount, 1, 'the next request polls anew');
  assert.equal(test.channel.snapshot, undefined);
});

test('a poll that a plain request waits for is not given up', async () => {
  const { feed, clock, script } = createTestFeed();
  script.reply = undefined;
  const state = feed.refresh();
  await clock.advance(10 * Math.max(EVERY_MS, LINGER_MS));
  script.last().resolve(jsonAnswer('1'));
  await clock.advance(0);
  assert.ok(await state);
  assert.equal(script.sent.length, 1);
});

test('plain requests do not keep the loop of streams that have left', async () => {
  const test = createTestFeed();
  const { leave } = test.stream();
  await test.clock.advance(0);
  leave();
  for (let passed = 0; passed < LINGER_MS; passed += LINGER_MS / 4) {
    await refresh(test);
    await test.clock.advance(LINGER_MS / 4);
  }
  assert.equal(test.closedCount, 1);
});

test('plain requests that come together share the poll in flight', async () => {
  const { feed, clock, script } = createTestFeed();
  script.reply = undefined;
  const plain = Array.from({ length: 20 }, () => feed.refresh());
  await clock.advance(0);
  assert.equal(script.sent.length, 1);
  script.last().resolve(jsonAnswer('1'));
  assert.equal(new Set(await Promise.all(plain)).size, 1);
});

test('nobody is polled for when nobody asks', async () => {
  const test = createTestFeed();
  await refresh(test);
  await test.clock.advance(10 * EVERY_MS);
  assert.equal(test.script.sent.length, 1);
  assert.equal(test.closedCount, 1);
});

test('a feed without linger still stays an interval after a plain request', async () => {
  const test = createTestFeed({ options: { lingerMs: 0 } });
  const state = test.feed.refresh();
  await test.clock.advance(EVERY_MS - 1);
  assert.ok(await state);
  assert.equal(test.closedCount, 0);
  await test.clock.advance(1);
  assert.equal(test.closedCount, 1);
});

test('beside streams plain requests get what the loop has found, without a poll', async () => {
  const test = createTestFeed();
  test.stream();
  await test.clock.advance(0);
  for (let i = 0; i < 10; i++) {
    await test.clock.advance(EVERY_MS / 20);
    assert.equal(await refresh(test), '{"n":1}');
  }
  assert.equal(test.script.sent.length, 1);
});

test('a plain request goes upstream itself when the poll fails', async () => {
  const test = createTestFeed();
  test.script.reply = answer(500);
  assert.equal(await refresh(test), undefined);
});

test('while it fails, plain requests do not wait for one more failure', async () => {
  const test = createTestFeed();
  test.script.reply = answer(500);
  await refresh(test);
  for (let i = 0; i < 10; i++) assert.equal(await refresh(test), undefined);
  assert.equal(test.script.sent.length, 1);
  await test.clock.advance(EVERY_MS);
  assert.equal(test.closedCount, 1, 'after an interval the next request tries again');
});

test('while the loop fails, plain requests go upstream and poll nothing', async () => {
  const test = createTestFeed();
  test.stream();
  await test.clock.advance(0);
  test.script.reply = answer(500);
  await test.clock.advance(EVERY_MS);
  const sent = test.script.sent.length;
  assert.equal(await refresh(test), undefined);
  assert.equal(test.script.sent.length, sent);
});

test('a plain request goes upstream itself when the resource refuses', async () => {
  const test = createTestFeed();
  test.script.reply = answer(401);
  assert.equal(await refresh(test), undefined);
  assert.equal(test.closedCount, 1);
  assert.equal(await refresh(test), undefined, 'nor does a closed feed poll');
  assert.equal(test.script.sent.length, 1);
});

test('an answer that sets a cookie ends the channel: its subscribers hear why', async () => {
  const test = createTestFeed();
  test.script.reply = jsonAnswer('1', { 'set-cookie': 'sid=1' });
  const { sink } = test.stream();
  await test.clock.advance(0);
  assert.deepEqual(
    sink.events.map(({ type, data }) => [type, JSON.parse(Buffer.from(data).toString())]),
    [['personal', { status: 200, reason: 'set-cookie' }]],
  );
  assert.equal(test.closedCount, 1);
});

test('a state that has become old is polled at once, and until then it answers nobody', async () => {
  const test = createTestFeed();
  test.stream();
  await test.clock.advance(0);
  test.script.reply = undefined;
  const renewed = test.feed.renew();
  assert.equal(await refresh(test), undefined, 'plain requests go upstream meanwhile');
  await test.clock.advance(EVERY_MS / 2);
  assert.equal(test.script.sent.length, 2, 'sooner than the interval says');
  test.script.last().resolve(jsonAnswer('{"n":2}'));
  await renewed;
  assert.equal(await refresh(test), '{"n":2}');
});

test('those who ask together for a new state share one poll', async () => {
  const test = createTestFeed();
  test.stream();
  await test.clock.advance(0);
  const renewals = Array.from({ length: 50 }, () => test.feed.renew());
  await test.clock.advance(200);
  await Promise.all(renewals);
  assert.equal(test.script.sent.length, 2);
});
