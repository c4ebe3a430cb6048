import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MirrorFeed } from '../../src/live/mirror-feed.ts';
import { staleId } from '../../src/protocol/cursor.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';
import { createTestMirror, imageOf } from './test-mirror.ts';

const RETRY_MS = 5_000;

const stale = (id?: string) => controlEvent('stale', staleId(id), { code: 'UPSTREAM_STATUS' });
const fresh = (id?: string) => controlEvent('fresh', id, {});

test('a hub that was lost and is back is told what is known, and that somebody streams', () => {
  const { feed, said, stream } = createTestMirror();
  feed.reopen();
  feed.adopt(imageOf([snapshot('a-1')]));
  feed.reopen();
  const { leave } = stream();
  stream();
  said.length = 0;
  feed.reopen();
  assert.deepEqual(said, ['open a-1', 'join']);
  leave();
  assert.deepEqual(said, ['open a-1', 'join'], 'one of two streams is left');
});

test('streams go through the loss of the hub without noticing, and nothing is told twice', () => {
  const { feed, stream } = createTestMirror();
  const { sink } = stream();
  feed.adopt(imageOf([snapshot('a-1')]));
  feed.reopen();
  // It knows the state from us alone, and has not polled yet.
  feed.adopt(imageOf([snapshot('a-1')], { isConfirmed: false }));
  assert.equal(feed.channel.snapshot, undefined);
  feed.apply(snapshot('a-1'));
  feed.apply(snapshot('b-1'));
  assert.deepEqual(sink.labels, ['snapshot a-1', 'snapshot b-1']);
});

test('where the hub is gone for good clients are told so, once', async () => {
  const { feed, stream } = createTestMirror();
  const { sink } = stream();
  feed.adopt(imageOf([snapshot('a-1')]));
  feed.onLost();
  feed.onLost();
  assert.deepEqual(sink.labels, ['snapshot a-1', 'stale a-1~stale']);
  assert.equal(Buffer.from(sink.events[1]?.data ?? '').toString(), '{"code":"NOT_POLLED"}');
  await feed.settled;
});

test('clients who know that the site fails are not told of the hub as well', () => {
  const { feed, stream } = createTestMirror();
  const { sink } = stream();
  feed.adopt(imageOf([snapshot('a-1')], { stale: stale('a-1') }));
  feed.onLost();
  assert.deepEqual(sink.labels, ['snapshot a-1', 'stale a-1~stale']);
});

/** Why clients were told that the state may be old. */
const LOSSES: Readonly<Record<string, (feed: MirrorFeed) => void>> = {
  'that the hub was lost': (feed) => feed.onLost(),
  'by the hub before that the site fails': (feed) => feed.apply(stale('a-1')),
};
const UNCONFIRMED = imageOf([snapshot('a-1')], { isConfirmed: false });

/** How a hub that has come back may go on, and what clients are told of it who knew that it was lost. */
const RETURNS: readonly (readonly [string, (feed: MirrorFeed) => void, readonly string[]])[] = [
  [
    'a state that is confirmed ends that',
    (feed) => feed.adopt(imageOf([snapshot('a-1')])),
    ['fresh a-1'],
  ],
  [
    'a state that is confirmed later ends that',
    (feed) => {
      feed.adopt(UNCONFIRMED);
      feed.apply(snapshot('a-1'));
    },
    ['fresh a-1'],
  ],
  [
    'a new state ends that, and comes first',
    (feed) => {
      feed.adopt(UNCONFIRMED);
      feed.apply(snapshot('b-1'));
    },
    ['snapshot b-1', 'fresh b-1'],
  ],
  [
    'a hub that has not polled yet does not end that',
    (feed) => {
      feed.adopt(UNCONFIRMED);
      feed.onSettled();
    },
    [],
  ],
  [
    'a site that fails is not told of again',
    (feed) => {
      feed.adopt(UNCONFIRMED);
      feed.apply(stale('a-1'));
    },
    [],
  ],
  [
    'a site that fails before it works again ends that once',
    (feed) => {
      feed.adopt(UNCONFIRMED);
      feed.apply(stale('a-1'));
      feed.apply(snapshot('a-1'));
      feed.apply(fresh('a-1'));
      feed.apply(snapshot('a-2'));
    },
    ['fresh a-1', 'snapshot a-2'],
  ],
  [
    'a hub that fails itself says so again by an image, and is not told of twice',
    (feed) => {
      feed.adopt(imageOf([snapshot('a-1')], { stale: stale('a-1') }));
      feed.apply(fresh('a-1'));
    },
    ['fresh a-1'],
  ],
];

for (const [why, lose] of Object.entries(LOSSES)) {
  for (const [name, goOn, expected] of RETURNS) {
    test(`where clients were told ${why}, ${name}`, () => {
      const { feed, channel, stream } = createTestMirror();
      const { sink } = stream();
      feed.adopt(imageOf([snapshot('a-1')]));
      lose(feed);
      feed.reopen();
      assert.deepEqual(sink.labels, ['snapshot a-1', 'stale a-1~stale']);
      goOn(feed);
      assert.deepEqual(sink.labels.slice(2), expected);
      assert.equal(channel.isStale, expected.length === 0);
    });
  }
}

test('what is refused is told once, and tried again after five seconds', async () => {
  const { feed, said, clock, stream } = createTestMirror();
  const { sink } = stream();
  feed.onRefused('TOO_MANY_CHANNELS');
  assert.deepEqual(sink.labels, ['stale ~stale']);
  assert.equal(Buffer.from(sink.events[0]?.data ?? '').toString(), '{"code":"TOO_MANY_CHANNELS"}');
  await feed.settled;
  said.length = 0;
  await clock.advance(RETRY_MS - 1);
  assert.deepEqual(said, []);
  await clock.advance(1);
  assert.deepEqual(said, ['open', 'join']);
  feed.onRefused('TOO_MANY_CHANNELS');
  await clock.advance(RETRY_MS);
  assert.deepEqual(said, ['open', 'join', 'open', 'join']);
  assert.equal(sink.events.length, 1);
  feed.adopt(imageOf([snapshot('a-1')]));
  await clock.advance(10 * RETRY_MS);
  assert.equal(said.length, 4, 'it is open: nothing is left to be tried');
  assert.deepEqual(sink.labels, ['stale ~stale', 'snapshot a-1', 'fresh a-1']);
});

test('what was refused by a hub that has come back since is not tried twice', async () => {
  const { feed, said, clock, stream } = createTestMirror();
  stream();
  feed.onRefused('NO_ROOM');
  feed.reopen();
  said.length = 0;
  await clock.advance(10 * RETRY_MS);
  assert.deepEqual(said, []);
});

test('what is refused while nobody streams is closed, and plain requests go to the site', async () => {
  const mirror = createTestMirror();
  const asked = mirror.feed.refresh();
  mirror.feed.onRefused('TOO_MANY_CHANNELS_FOR_ADDRESS');
  mirror.answers[0]?.(undefined);
  assert.equal(await asked, undefined);
  assert.equal(mirror.closedCount, 1);
  await mirror.clock.advance(10 * RETRY_MS);
  assert.deepEqual(mirror.said, ['open', 'close']);
  assert.equal(mirror.clock.pending, 0);
});

test('what is refused is not tried again once the last stream has left', async () => {
  const mirror = createTestMirror();
  const { leave } = mirror.stream();
  mirror.feed.onRefused('NO_ROOM');
  leave();
  await mirror.clock.advance(10 * RETRY_MS);
  assert.deepEqual(mirror.said, ['open', 'join', 'leave', 'close']);
  assert.equal(mirror.clock.pending, 0);
});
