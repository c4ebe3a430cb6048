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
