import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/channel/channel.ts';
import type { MirrorFeed } from '../../src/live/mirror-feed.ts';
import type { Ended } from '../../src/poll/detect.ts';
import { staleId } from '../../src/protocol/cursor.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';
import { createTestMirror, imageOf, isKept, LINGER_MS, PATIENCE_MS } from './test-mirror.ts';

const RETRY_MS = 5_000;
const LOGOUT: Ended = { kind: 'ended', word: 'unauthorized', status: 200, detail: 'logout' };

const stale = (id?: string) => controlEvent('stale', staleId(id), { code: 'UPSTREAM_STATUS' });
const fresh = (id?: string) => controlEvent('fresh', id, {});
const unauthorized = () => controlEvent('unauthorized', undefined, { status: 401 });

test('it is opened with the hub at once, and that somebody streams is said once', () => {
  const { feed, said, stream } = createTestMirror();
  assert.deepEqual(said, ['open']);
  const [first, second] = [stream(), stream()];
  assert.equal(feed.streamCount, 2);
  first.leave();
  assert.deepEqual(said, ['open', 'join']);
  second.leave();
  stream();
  assert.deepEqual(said, ['open', 'join', 'leave', 'join']);
});

test('streams see what the hub shows from then on', () => {
  const { feed, channel, stream } = createTestMirror();
  const { sink } = stream();
  feed.adopt(imageOf([snapshot('a-1'), snapshot('a-2')]));
  feed.apply(snapshot('a-3'));
  feed.apply(stale('a-3'));
  feed.apply(fresh('a-3'));
  assert.deepEqual(sink.labels, ['snapshot a-2', 'snapshot a-3', 'stale a-3~stale', 'fresh a-3']);
  feed.rest();
  const shown = () => channel.snapshot?.id;
  assert.equal(shown(), undefined);
  feed.apply(snapshot('a-3'));
  assert.equal(shown(), 'a-3');
  assert.equal(sink.events.length, 4, 'it is confirmed, and nobody has missed it');
});

test('it lingers after its last stream, then closes and is done with its timers', async () => {
  const mirror = createTestMirror();
  const { leave } = mirror.stream();
  await mirror.clock.advance(100 * LINGER_MS);
  leave();
  await mirror.clock.advance(LINGER_MS - 1);
  assert.equal(mirror.closedCount, 0);
  assert.equal(mirror.feed.hasEnded, false);
  await mirror.clock.advance(1);
  assert.equal(mirror.closedCount, 1);
  assert.deepEqual(mirror.said, ['open', 'join', 'leave', 'close']);
  assert.equal(mirror.clock.pending, 0);
  assert.equal(mirror.feed.hasEnded, true);
  await Promise.all([mirror.feed.settled, mirror.feed.closed]);
});

test('a stream that comes while it lingers keeps it', async () => {
  const mirror = createTestMirror();
  mirror.stream().leave();
  await mirror.clock.advance(LINGER_MS - 1);
  mirror.stream();
  await mirror.clock.advance(10 * LINGER_MS);
  assert.equal(mirror.closedCount, 0);
});

test('one that nobody ever joins closes by itself', async () => {
  const mirror = createTestMirror();
  await mirror.clock.advance(LINGER_MS);
  assert.equal(mirror.closedCount, 1);
  assert.deepEqual(mirror.said, ['open', 'close']);
});

test('it settles when the first poll of the hub has ended, and not with its first image', async () => {
  const { feed } = createTestMirror();
  feed.adopt(imageOf([]));
  assert.equal(await isKept(feed.settled), false);
  feed.onSettled();
  assert.equal(await isKept(feed.settled), true);
  assert.equal(await isKept(feed.closed), false);
});

test('a plain request gets the state that the hub has vouched for, and how old that is', async () => {
  const { feed, channel, clock, answers } = createTestMirror();
  feed.adopt(imageOf([snapshot('a-1')]));
  await clock.advance(700);
  const asked = feed.refresh();
  await clock.advance(100);
  answers[0]?.({ id: 'a-1', ageMs: 250, state: undefined });
  assert.equal((await asked)?.id, 'a-1');
  assert.deepEqual(channel.lastPoll, { at: 800, asOf: 550 });
});

test('a state whose age the hub does not know is shown, and no age is made up', async () => {
  const { feed, channel, answers } = createTestMirror();
  feed.adopt(imageOf([snapshot('a-1')]));
  const asked = feed.refresh();
  answers[0]?.({ id: 'a-1', ageMs: undefined, state: undefined });
  assert.equal((await asked)?.id, 'a-1');
  assert.equal(channel.lastPoll, undefined);
});

test('a state that the channel does not show comes with the answer of the hub', async () => {
  const { feed, channel, answers } = createTestMirror();
  const asked = feed.refresh();
  answers[0]?.({ id: 'a-1', ageMs: 0, state: snapshot('a-1') });
  assert.equal((await asked)?.id, 'a-1');
  assert.equal(channel.snapshot, undefined, 'it is for who has asked alone');
});

test('a plain request goes to the site when the hub cannot say how the state is', async () => {
  const { feed, answers } = createTestMirror();
  feed.adopt(imageOf([snapshot('a-1')]));
  for (const told of [
    undefined,
    { id: 'a-2', ageMs: 0, state: undefined },
    { id: 'a-2', ageMs: 0, state: snapshot('a-1') },
  ]) {
    const asked = feed.refresh();
    answers.at(-1)?.(told);
    assert.equal(await asked, undefined);
  }
  feed.rest();
  const asked = feed.refresh();
  answers.at(-1)?.({ id: 'a-1', ageMs: 0, state: undefined });
  assert.equal(await asked, undefined, 'what rests is shown to nobody');
});

test('a plain request that waits while the mirror ends is shown nothing', async () => {
  for (const end of ['close', 'end'] as const) {
    const { feed, answers } = createTestMirror();
    feed.adopt(imageOf([snapshot('a-1')]));
    const asked = feed.refresh();
    if (end === 'close') feed.close();
    else feed.end(LOGOUT);
    answers[0]?.({ id: 'a-1', ageMs: 0, state: snapshot('a-1') });
    assert.equal(await asked, undefined, end);
  }
});

test('a plain request that waits keeps it, and it lingers anew afterwards', async () => {
  const mirror = createTestMirror();
  const asked = mirror.feed.refresh();
  await mirror.clock.advance(LINGER_MS + 5 * PATIENCE_MS);
  assert.equal(mirror.closedCount, 0);
  mirror.answers[0]?.(undefined);
  await asked;
  await mirror.clock.advance(LINGER_MS - 1);
  assert.equal(mirror.closedCount, 0);
  await mirror.clock.advance(1);
  assert.equal(mirror.closedCount, 1);
});

test('what the hub has closed while somebody began to stream is opened again', () => {
  const mirror = createTestMirror();
  const { sink } = mirror.stream();
  mirror.feed.adopt(imageOf([snapshot('a-1')]));
  mirror.feed.onClosed();
  assert.deepEqual(mirror.said, ['open', 'join', 'open a-1', 'join']);
  assert.equal(mirror.closedCount, 0);
  mirror.feed.adopt(imageOf([snapshot('a-1'), snapshot('a-2')]));
  assert.deepEqual(sink.labels, ['snapshot a-1', 'snapshot a-2']);
});

test('what the hub has closed while nobody streams is closed', async () => {
  const mirror = createTestMirror();
  mirror.feed.onClosed();
  assert.deepEqual(mirror.said, ['open', 'close']);
  assert.equal(mirror.closedCount, 1);
  assert.equal(mirror.clock.pending, 0);
  await mirror.feed.closed;
});

test('a last word ends every stream, closes it, and nothing follows', async () => {
  const ends: Readonly<Record<string, (feed: MirrorFeed) => void>> = {
    event: (feed) => feed.apply(unauthorized()),
    image: (feed) => feed.adopt(imageOf([], { lastWord: unauthorized() })),
    logout: (feed) => feed.end(LOGOUT),
  };
  for (const [how, end] of Object.entries(ends)) {
    const mirror = createTestMirror();
    const { sink, leave } = mirror.stream();
    mirror.feed.adopt(imageOf([snapshot('a-1')]));
    end(mirror.feed);
    mirror.feed.apply(snapshot('a-2'));
    mirror.feed.adopt(imageOf([snapshot('a-3')]));
    mirror.feed.apply(unauthorized());
    mirror.feed.onLost();
    mirror.feed.onClosed();
    assert.deepEqual(sink.labels, ['snapshot a-1', 'unauthorized'], how);
    assert.equal(sink.endedCount, 1);
    assert.deepEqual(mirror.words, ['unauthorized']);
    assert.equal(mirror.closedCount, 1);
    assert.equal(mirror.feed.hasEnded, true);
    assert.equal(mirror.channel.retained, undefined);
    leave();
    await mirror.clock.advance(10 * RETRY_MS);
    assert.deepEqual(mirror.said, ['open', 'join', 'close', 'leave']);
    assert.equal(mirror.clock.pending, 0);
    await Promise.all([mirror.feed.settled, mirror.feed.closed]);
  }
});

test('a state that was kept while nobody streamed is shown again once the hub confirms it', () => {
  const channel = new Channel('c', { maxEvents: 10, maxBytes: 10_000 });
  channel.apply(snapshot('a-1'));
  channel.rest();
  const { feed, stream } = createTestMirror(channel);
  const [old, current] = [stream('a-1').sink, stream().sink];
  assert.deepEqual([old.labels, current.labels], [[], []]);
  feed.adopt(imageOf([snapshot('a-1')]));
  assert.deepEqual([old.labels, current.labels], [[], ['snapshot a-1']]);
});
