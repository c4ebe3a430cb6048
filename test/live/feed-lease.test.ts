import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Backplane, Lease } from '../../src/cluster/backplane.ts';
import { createMemoryBackplane } from '../../src/cluster/memory.ts';
import type { RecordingSink } from '../channel/recording-sink.ts';
import { answer, jsonAnswer } from '../poll/scripted-fetch.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import type { TestFeed } from './test-feed.ts';
import { createTestFeed, EVERY_MS, LINGER_MS } from './test-feed.ts';

/** Two nodes with channels of their own; the first holds the lease. */
async function twoNodes() {
  const clock = createFakeClock();
  const backplane = createMemoryBackplane(1);
  const first = createTestFeed({ clock, backplane });
  const firstStream = first.stream();
  await clock.advance(0);
  const second = createTestFeed({ clock, backplane });
  const secondStream = second.stream();
  await clock.advance(0);
  return { clock, backplane, first, second, firstStream, secondStream };
}

/** Stream until the state is known, and leave for so long that the feed closes. */
async function runOnce({ stream, clock, channel }: TestFeed): Promise<RecordingSink> {
  const { sink, leave } = stream();
  await clock.advance(0);
  leave();
  await clock.advance(LINGER_MS);
  assert.ok(channel.retained && !channel.snapshot);
  return sink;
}

test('a feed that is opened again resumes from the state that was retained', async () => {
  const before = createTestFeed();
  const old = await runOnce(before);
  const { clock, backplane, channel, script } = before;
  const after = createTestFeed({ clock, backplane, channel, script });
  const cursor = old.events[0]?.id ?? '';
  script.reply = undefined;
  const [resumed, newcomer] = [after.stream(cursor).sink, after.stream().sink];
  await clock.advance(0);
  assert.deepEqual(newcomer.labels, [], 'nothing is shown before it is confirmed');
  script.last().resolve(jsonAnswer('{"n":1}'));
  await clock.advance(0);
  assert.deepEqual(resumed.labels, [], 'who has the state already gets nothing');
  assert.deepEqual(newcomer.labels, [`snapshot ${cursor}`]);
});

test('the first poll of a feed that is opened again is conditional', async () => {
  const before = createTestFeed();
  before.script.reply = jsonAnswer('1', { etag: '"1"' });
  await runOnce(before);
  const after = createTestFeed(before);
  after.script.reply = answer(304);
  const { sink } = after.stream();
  await after.clock.advance(0);
  assert.deepEqual(after.script.last().conditions, ['if-none-match', '"1"']);
  assert.equal(sink.events.length, 1);
});

test('a change while nobody polled is told under an id of the new lease', async () => {
  const before = createTestFeed();
  const old = await runOnce(before);
  const after = createTestFeed(before);
  after.script.reply = jsonAnswer('{"n":2}');
  const cursor = old.events[0]?.id ?? '';
  const { sink } = after.stream(cursor);
  await after.clock.advance(0);
  assert.equal(sink.events.length, 1);
  const [oldEpoch, newEpoch] = [cursor, sink.events[0]?.id ?? ''].map((id) => id.split('-')[0]);
  assert.notEqual(newEpoch, oldEpoch);
});

test('a refusal while nobody polled shows nothing of what was retained', async () => {
  const before = createTestFeed();
  await runOnce(before);
  const after = createTestFeed(before);
  after.script.reply = answer(403);
  const { sink } = after.stream();
  await after.clock.advance(0);
  assert.deepEqual(sink.labels, ['unauthorized']);
});

test('a node without the lease shows what the other node finds, and does not poll', async () => {
  const { clock, first, second, firstStream, secondStream } = await twoNodes();
  await second.feed.settled;
  assert.equal(second.feed.hasEnded, false);
  first.script.reply = jsonAnswer('{"n":2}');
  await clock.advance(3 * EVERY_MS);
  assert.deepEqual(secondStream.sink.labels, firstStream.sink.labels);
  assert.equal(secondStream.sink.labels.length, 2);
  assert.equal(second.script.sent.length, 0);
});

test('a node without the lease leaves plain requests to the upstream', async () => {
  const { second } = await twoNodes();
  assert.equal(await second.feed.refresh(), undefined);
});

test('a lease that another node holds is asked for again, and taken over when it is free', async () => {
  const { clock, first, second, firstStream } = await twoNodes();
  await clock.advance(10 * EVERY_MS);
  assert.equal(second.script.sent.length, 0);
  firstStream.leave();
  await clock.advance(LINGER_MS + 2_000);
  assert.equal(first.closedCount, 1);
  assert.ok(second.script.sent.length > 0);
  const polled = first.script.sent.length;
  await clock.advance(10 * EVERY_MS);
  assert.equal(first.script.sent.length, polled);
});

test('a node that waits for the lease stops asking when its last stream has left', async () => {
  const { clock, second, secondStream } = await twoNodes();
  secondStream.leave();
  await clock.advance(LINGER_MS + 2_000);
  assert.equal(second.closedCount, 1);
});

test('a node that takes over tells the end of a failure that the node before it told of', async () => {
  const { clock, first, second, firstStream, secondStream } = await twoNodes();
  first.script.reply = answer(500);
  await clock.advance(EVERY_MS);
  assert.equal(secondStream.sink.events.at(-1)?.type, 'stale');
  firstStream.leave();
  await clock.advance(LINGER_MS + 2_000);
  assert.ok(second.script.sent.length > 0);
  assert.equal(secondStream.sink.events.at(-1)?.type, 'fresh');
});

test('a node that takes over makes the state known to nodes that join later', async () => {
  const { clock, backplane, second, firstStream } = await twoNodes();
  firstStream.leave();
  await clock.advance(LINGER_MS + 2_000);
  assert.ok(second.script.sent.length > 0);
  const third = createTestFeed({ clock, backplane });
  const { sink } = third.stream();
  await clock.advance(10 * EVERY_MS);
  assert.equal(sink.events.at(-1)?.type, 'snapshot');
});

test('a feed that has lost its lease tells nothing of its poll, and asks for the lease again', async () => {
  const memory = createMemoryBackplane(1);
  const acquired: Lease[] = [];
  const backplane: Backplane = {
    ...memory,
    async acquire(channel) {
      const lease = await memory.acquire(channel);
      if (lease) acquired.push(lease);
      return lease;
    },
  };
  const { stream, clock, script } = createTestFeed({ backplane });
  const { sink } = stream();
  await clock.advance(0);
  const [first] = acquired;
  await first?.release(); // as if it had expired while the upstream was being asked
  const other = await memory.acquire('c');
  script.reply = jsonAnswer('2');
  await clock.advance(2 * EVERY_MS);
  assert.equal(sink.labels.length, 1, 'the poll of a node without the lease is not told');
  const polls = script.sent.length;
  await clock.advance(5 * EVERY_MS);
  assert.equal(script.sent.length, polls, 'nor does it go on polling');
  await other?.release();
  await clock.advance(2 * EVERY_MS);
  assert.equal(acquired.length, 2);
  assert.deepEqual(sink.labels.at(-1), `snapshot ${acquired[1]?.epoch}-1`);
});

test('a loop ends with linger also when a plain request waits at that moment', async () => {
  const test = createTestFeed();
  test.script.reply = undefined;
  const { leave } = test.stream();
  await test.clock.advance(0);
  leave();
  const plain = test.feed.refresh();
  await test.clock.advance(LINGER_MS);
  assert.equal(test.closedCount, 0, 'somebody waits for the poll');
  test.script.last().resolve(jsonAnswer('1'));
  await test.clock.advance(0);
  assert.ok(await plain);
  test.script.reply = jsonAnswer('1');
  await test.clock.advance(LINGER_MS);
  assert.equal(test.closedCount, 1);
});
