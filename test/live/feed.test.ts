import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, jsonAnswer } from '../poll/scripted-fetch.ts';
import { createTestFeed, EVERY_MS, LINGER_MS } from './test-feed.ts';

const NONE = { 'content-type': 'application/json' };

test('the first stream polls at once, and then once an interval', async () => {
  const { stream, clock, script, feed } = createTestFeed();
  const { sink } = stream();
  await clock.advance(3 * EVERY_MS);
  assert.equal(script.sent.length, 4);
  assert.equal(sink.events.length, 1, 'what does not change is told once');
  await feed.settled;
  assert.equal(feed.hasEnded, false);
});

test('more streams cost no more polls, and newcomers get the state at once', async () => {
  const { stream, clock, script } = createTestFeed();
  stream();
  await clock.advance(0);
  const sinks = Array.from({ length: 50 }, () => stream().sink);
  assert.ok(sinks.every(({ events }) => events.length === 1));
  await clock.advance(2 * EVERY_MS);
  assert.equal(script.sent.length, 3);
});

test('each change is told to every stream, with ids that count on', async () => {
  const { stream, clock, script } = createTestFeed();
  const sinks = [stream().sink, stream().sink];
  await clock.advance(0);
  script.reply = jsonAnswer('{"n":2}');
  await clock.advance(EVERY_MS);
  for (const { events } of sinks) {
    assert.deepEqual(
      events.map(({ data }) => Buffer.from(data).toString()),
      ['{"n":1}', '{"n":2}'],
    );
    const [first, second] = events.map(({ id }) => id?.split('-') ?? []);
    assert.equal(first?.[0], second?.[0]);
    assert.deepEqual([first?.[1], second?.[1]], ['1', '2']);
  }
});

test('one poll is in flight at a time, whoever asks', async () => {
  const { stream, feed, clock, script } = createTestFeed();
  script.reply = undefined;
  stream();
  const plain = [feed.refresh(), feed.refresh()];
  await clock.advance(10 * EVERY_MS);
  stream();
  await clock.advance(10 * EVERY_MS);
  assert.equal(script.sent.length, 1);
  script.last().resolve(jsonAnswer('1'));
  const [first, second] = await Promise.all(plain);
  assert.ok(first);
  assert.equal(first, second);
});

test('a feed lingers after its last stream, then closes and is done with its timers', async () => {
  const test = createTestFeed();
  const { leave } = test.stream();
  await test.clock.advance(0);
  leave();
  await test.clock.advance(LINGER_MS - 1);
  assert.equal(test.closedCount, 0);
  await test.clock.advance(1);
  assert.equal(test.closedCount, 1);
  assert.equal(test.clock.pending, 0);
  assert.ok(await test.backplane.acquire('c'), 'the lease is free');
});

test('a stream that comes while a feed lingers keeps it', async () => {
  const test = createTestFeed();
  const first = test.stream();
  await test.clock.advance(0);
  first.leave();
  await test.clock.advance(LINGER_MS - 1);
  const { sink } = test.stream();
  await test.clock.advance(10 * LINGER_MS);
  assert.equal(test.closedCount, 0);
  assert.equal(sink.events.length, 1);
});

test('a feed that nobody ever joins closes by itself, unpolled', async () => {
  const test = createTestFeed();
  await test.clock.advance(LINGER_MS);
  assert.equal(test.closedCount, 1);
  assert.equal(test.script.sent.length, 0);
});

test('a failure is told once, and its end once', async () => {
  const { stream, clock, script } = createTestFeed();
  const { sink } = stream();
  await clock.advance(0);
  script.reply = answer(503);
  await clock.advance(60 * EVERY_MS);
  assert.ok(script.sent.length > 3);
  script.reply = jsonAnswer('{"n":1}');
  await clock.advance(120 * EVERY_MS);
  assert.deepEqual(
    sink.events.map(({ type }) => type),
    ['snapshot', 'stale', 'fresh'],
  );
  const stale: unknown = JSON.parse(Buffer.from(sink.events[1]?.data ?? '').toString());
  assert.deepEqual(stale, { code: 'UPSTREAM_STATUS', status: 503 });
});

test('a failure that ends with a change tells the change first', async () => {
  const { stream, clock, script } = createTestFeed();
  const { sink } = stream();
  await clock.advance(0);
  script.reply = answer(500);
  await clock.advance(EVERY_MS);
  script.reply = jsonAnswer('{"n":2}');
  await clock.advance(60 * EVERY_MS);
  assert.deepEqual(
    sink.events.map(({ type }) => type),
    ['snapshot', 'stale', 'snapshot', 'fresh'],
  );
});

test('a failure of the very first poll is told, and settles the feed', async () => {
  const { stream, clock, script, feed } = createTestFeed();
  script.reply = new Error('refused');
  const { sink } = stream();
  await clock.advance(0);
  assert.deepEqual(sink.labels, ['stale ~stale']);
  await feed.settled;
  assert.equal(feed.hasEnded, false);
  script.reply = jsonAnswer('1');
  await clock.advance(60 * EVERY_MS);
  assert.deepEqual(
    sink.events.map(({ type }) => type),
    ['stale', 'snapshot', 'fresh'],
  );
});

test('a refusal is the last word: the streams end and the feed closes', async () => {
  const test = createTestFeed();
  const { sink, leave } = test.stream();
  await test.clock.advance(0);
  test.script.reply = answer(401);
  await test.clock.advance(EVERY_MS);
  assert.equal(sink.events.at(-1)?.type, 'unauthorized');
  assert.equal(sink.endedCount, 1);
  leave();
  await test.clock.advance(10 * LINGER_MS);
  assert.equal(test.closedCount, 1);
  assert.equal(test.script.sent.length, 2);
  assert.equal(test.clock.pending, 0);
  assert.equal(test.channel.retained, undefined);
});

test('a refusal of the first poll settles the feed as ended', async () => {
  const { stream, clock, script, feed } = createTestFeed();
  script.reply = answer(403, '', NONE);
  const { sink } = stream();
  await clock.advance(0);
  await feed.settled;
  assert.ok(feed.hasEnded);
  assert.deepEqual(sink.labels, ['unauthorized']);
});

test('a peer that is blocked at the last word gets it when it drains', async () => {
  const { stream, clock, script } = createTestFeed();
  const { sink, subscriber } = stream();
  sink.fill();
  await clock.advance(0);
  script.reply = answer(401);
  await clock.advance(EVERY_MS);
  sink.drain(subscriber);
  assert.equal(sink.events.at(-1)?.type, 'unauthorized');
});

test('what was waited for when a feed closes is given up', async () => {
  const test = createTestFeed();
  test.script.reply = undefined;
  test.stream();
  const plain = test.feed.refresh();
  await test.clock.advance(0);
  test.feed.close();
  test.feed.close();
  await test.clock.advance(60 * EVERY_MS);
  assert.equal(await plain, undefined);
  assert.ok(test.script.last().signal.aborted);
  assert.equal(test.closedCount, 1);
  await test.feed.settled;
  assert.ok(test.feed.hasEnded);
  assert.equal(test.clock.pending, 0);
});

test('a state that has become old by a write is polled anew, and it is known still of when it is', async () => {
  const { feed, clock, channel, script } = createTestFeed();
  await clock.advance(7);
  await feed.refresh();
  assert.equal(channel.lastPoll?.asOf, 7);
  await feed.renew();
  assert.equal(channel.lastPoll?.asOf, 7);
  assert.equal(script.sent.length, 1);
  await feed.refresh();
  assert.equal(script.sent.length, 2);
});
