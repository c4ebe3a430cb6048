import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/channel/channel.ts';
import { staleId } from '../../src/protocol/cursor.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';
import { changed } from './patched.ts';
import { subscribe } from './recording-sink.ts';

const LIMITS = { maxEvents: 4, maxBytes: 1_000 };

/** A channel that has got snapshots of these ids. */
function channelOf(...ids: string[]): Channel {
  const channel = new Channel('c', LIMITS);
  for (const id of ids) channel.apply(snapshot(id));
  return channel;
}

/** One whose states nobody has confirmed since. */
function restingAt(...ids: string[]): Channel {
  const channel = channelOf(...ids);
  channel.rest();
  return channel;
}

/** One that has adopted the image of another. */
function copyOf(original: Channel, limits = LIMITS): Channel {
  const copy = new Channel('c', limits);
  copy.adopt(original.image);
  return copy;
}

const stale = (id?: string) => controlEvent('stale', staleId(id), { code: 'UPSTREAM_STATUS' });
const fresh = (id?: string) => controlEvent('fresh', id, {});
const unauthorized = () => controlEvent('unauthorized', undefined, { status: 401 });

/** What new subscribers with these cursors are told. */
function told(channel: Channel, cursors: readonly string[]): string[] {
  return subscribe(channel, ...cursors).sink.labels;
}

const ORIGINALS: Readonly<Record<string, () => Channel>> = {
  'that knows nothing': () => channelOf(),
  'with a state': () => channelOf('a-1'),
  'with several states': () => channelOf('a-1', 'a-2', 'a-3'),
  'whose log is full': () => channelOf('a-1', 'a-2', 'a-3', 'a-4', 'a-5', 'a-6'),
  'at rest': () => restingAt('a-1', 'a-2'),
  'that is stale': () => {
    const channel = channelOf('a-1', 'a-2');
    channel.apply(stale('a-2'));
    return channel;
  },
  'that was stale before any state': () => {
    const channel = channelOf();
    channel.apply(stale());
    return channel;
  },
  'that is stale and shows nothing': () => {
    const channel = restingAt('a-1');
    channel.apply(stale());
    return channel;
  },
  'that has said its last word': () => {
    const channel = channelOf('a-1');
    channel.apply(unauthorized());
    return channel;
  },
  'whose log was shortened': () => {
    const channel = channelOf('a-1', 'a-2', 'a-3');
    channel.shortenLog();
    return channel;
  },
  'whose state is larger than its log': () => {
    const channel = channelOf('a-1');
    channel.apply(snapshot('a-2', 'x'.repeat(LIMITS.maxBytes + 1)));
    return channel;
  },
  'whose states lead from one to the next': () => {
    const channel = channelOf();
    for (const seq of [1, 2, 3]) channel.apply(changed(seq));
    return channel;
  },
};

for (const [name, make] of Object.entries(ORIGINALS)) {
  test(`new subscribers are told the same by a copy of a channel ${name}`, () => {
    for (const cursors of [[], ['z-9'], ['a-1'], ['a-3'], ['z-9', 'a-2'], [staleId('a-2')]]) {
      const original = make();
      const copy = copyOf(original);
      assert.equal(copy.snapshot, original.snapshot);
      assert.equal(copy.retained, original.retained);
      assert.equal(copy.isStale, original.isStale);
      assert.deepEqual(told(copy, cursors), told(original, cursors), `with ${cursors}`);
    }
  });
}

test('a known cursor goes on after it, nothing lost and nothing repeated', () => {
  const copy = copyOf(channelOf('a-1', 'a-2', 'a-3', 'a-4', 'a-5'));
  assert.deepEqual(told(copy, ['a-1']), [
    'snapshot a-2',
    'snapshot a-3',
    'snapshot a-4',
    'snapshot a-5',
  ]);
  assert.deepEqual(told(copy, ['a-3']), ['snapshot a-4', 'snapshot a-5']);
  assert.deepEqual(told(copy, ['a-5']), []);
  assert.deepEqual(told(copy, ['a-0']), ['snapshot a-5']);
});

test('who waits for the first state is told the newest, or what its cursor has missed', () => {
  const copy = channelOf();
  const sinks = [[], ['a-1'], ['a-3'], ['z-9']].map((ids) => subscribe(copy, ...ids).sink);
  copy.adopt(channelOf('a-1', 'a-2', 'a-3').image);
  assert.deepEqual(
    sinks.map(({ labels }) => labels),
    [['snapshot a-3'], ['snapshot a-2', 'snapshot a-3'], [], ['snapshot a-3']],
  );
});

test('who waits at a channel with an old state is told the newest, and not all between', () => {
  const copy = restingAt('a-1');
  const sinks = [[], ['a-1'], ['a-2'], ['a-4']].map((ids) => subscribe(copy, ...ids).sink);
  copy.adopt(channelOf('a-1', 'a-2', 'a-3', 'a-4').image);
  assert.deepEqual(
    sinks.map(({ labels }) => labels),
    [
      ['snapshot a-4'],
      ['snapshot a-2', 'snapshot a-3', 'snapshot a-4'],
      ['snapshot a-3', 'snapshot a-4'],
      [],
    ],
  );
});

test('subscribers that are there are told only what is new to them', () => {
  const copy = channelOf('a-1', 'a-2');
  const { sink } = subscribe(copy);
  copy.adopt(channelOf('a-1', 'a-2', 'a-3', 'a-4').image);
  assert.deepEqual(sink.labels, ['snapshot a-2', 'snapshot a-3', 'snapshot a-4']);
  copy.adopt(channelOf('a-1', 'a-2', 'a-3', 'a-4').image);
  assert.equal(sink.events.length, 3, 'the same image says nothing new');
  copy.adopt(channelOf('b-1', 'b-2').image);
  assert.deepEqual(sink.labels.slice(3), ['snapshot b-2'], 'of another past the newest alone');
});

test('a subscriber with patches follows an adopted image by them', () => {
  const original = channelOf();
  for (const seq of [1, 2, 3]) original.apply(changed(seq));
  const copy = channelOf();
  copy.apply(changed(1));
  const { sink } = subscribe(copy);
  sink.takesPatches = true;
  copy.adopt(original.image);
  assert.deepEqual(sink.labels, ['snapshot a-1', 'patch a-2', 'patch a-3']);
});

test('a slow subscriber gets the newest of an adopted image alone', () => {
  const copy = channelOf('a-1');
  const { sink, subscriber } = subscribe(copy);
  sink.isWritable = false;
  copy.adopt(channelOf('a-1', 'a-2', 'a-3').image);
  assert.deepEqual(sink.labels, ['snapshot a-1']);
  sink.drain(subscriber);
  assert.deepEqual(sink.labels, ['snapshot a-1', 'snapshot a-3']);
});

test('that the upstream fails is handed over once, and so is that it works again', () => {
  const original = channelOf('a-1');
  const copy = copyOf(original);
  const { sink } = subscribe(copy);
  original.apply(stale('a-1'));
  copy.adopt(original.image);
  copy.adopt(original.image);
  assert.equal(copy.isStale, true);
  original.apply(fresh('a-1'));
  copy.adopt(original.image);
  copy.adopt(original.image);
  assert.equal(copy.isStale, false);
  assert.deepEqual(sink.labels, ['snapshot a-1', 'stale a-1~stale', 'fresh a-1']);
});

test('a failure that has ended with a change is told as the change first', () => {
  const copy = channelOf('a-1');
  const { sink } = subscribe(copy);
  copy.apply(stale('a-1'));
  copy.adopt(channelOf('a-1', 'a-2').image);
  assert.deepEqual(sink.labels.slice(2), ['snapshot a-2', 'fresh a-2']);
});

test('a state that nobody has confirmed does not say that polls work again', () => {
  const copy = channelOf('a-1');
  copy.apply(stale('a-1'));
  const { sink } = subscribe(copy);
  copy.adopt(restingAt('a-1').image);
  assert.deepEqual(sink.labels, ['snapshot a-1', 'stale a-1~stale']);
});

test('an image that is not confirmed is shown to nobody before it is', () => {
  for (const before of [[], ['a-1'], ['z-1']]) {
    const copy = channelOf(...before);
    const there = subscribe(copy).sink;
    const had = there.labels;
    copy.adopt(restingAt('a-1', 'a-2').image);
    assert.equal(copy.snapshot, undefined);
    assert.equal(copy.retained?.id, 'a-2');
    assert.deepEqual(there.labels, had);
    const late = [subscribe(copy).sink, subscribe(copy, 'a-1').sink, subscribe(copy, 'a-2').sink];
    assert.deepEqual(
      late.map(({ labels }) => labels),
      [[], [], []],
    );
    copy.confirm();
    assert.deepEqual(there.labels, [...had, 'snapshot a-2']);
    assert.deepEqual(
      late.map(({ labels }) => labels),
      [['snapshot a-2'], ['snapshot a-2'], []],
    );
  }
});

test('a failing upstream does not bring an image to light that is not confirmed', () => {
  const original = restingAt('a-1', 'a-2');
  original.apply(stale());
  for (const copy of [channelOf(), restingAt('a-1'), channelOf('a-1')]) {
    copy.adopt(original.image);
    assert.deepEqual(told(copy, []), ['stale ~stale']);
    assert.deepEqual(told(copy, ['a-1']), ['stale ~stale']);
    assert.equal(copy.snapshot, undefined);
  }
});

test('an adopted last word ends every subscriber, and leaves nothing', () => {
  const original = channelOf('a-1');
  original.apply(unauthorized());
  for (const copy of [channelOf(), channelOf('a-1'), restingAt('a-1')]) {
    const { sink } = subscribe(copy, 'a-1');
    copy.adopt(original.image);
    assert.deepEqual(sink.labels, ['unauthorized']);
    assert.equal(sink.endedCount, 1);
    assert.equal(copy.retained, undefined);
    assert.equal(copy.bytes, 0);
  }
});

test('after its own last word a channel adopts nothing', () => {
  for (const image of [channelOf('a-1').image, restingAt('a-1').image]) {
    const copy = channelOf('a-1');
    copy.apply(unauthorized());
    copy.adopt(image);
    assert.equal(copy.retained, undefined);
    assert.equal(copy.snapshot, undefined);
    assert.equal(copy.bytes, 0);
    assert.deepEqual(told(copy, []), ['unauthorized']);
  }
});

test('a copy holds no more than its own log may, and the state all the same', () => {
  const original = channelOf('a-1', 'a-2', 'a-3');
  for (const limits of [
    { maxEvents: 1, maxBytes: 1_000 },
    { maxEvents: 0, maxBytes: 1_000 },
    { maxEvents: 10, maxBytes: 0 },
  ]) {
    const copy = copyOf(original, limits);
    assert.ok(copy.eventsInLog <= limits.maxEvents && copy.logBytes <= limits.maxBytes);
    assert.deepEqual(told(copy, []), ['snapshot a-3']);
    assert.deepEqual(told(copy, ['a-1']), ['snapshot a-3']);
    assert.deepEqual(told(copy, ['a-3']), []);
    assert.equal(copy.retained, original.retained);
  }
});

test('what was counted of a channel is what it holds, whatever it adopts', () => {
  const counted = { state: 0, log: 0 };
  const copy = new Channel('c', LIMITS, (state, log) => {
    counted.state += state;
    counted.log += log;
  });
  const ended = channelOf('a-1');
  ended.apply(unauthorized());
  const originals = [
    channelOf(),
    restingAt('a-1', 'a-22'),
    channelOf('a-1', 'a-22', 'a-333'),
    restingAt('b-4444'),
    channelOf('b-4444', 'c-55555'),
    ended,
  ];
  for (const { image } of originals) {
    copy.adopt(image);
    assert.deepEqual(counted, { state: copy.stateBytes, log: copy.logBytes });
  }
  assert.deepEqual(counted, { state: 0, log: 0 });
});

test('what is restored is for comparing with until a poll has confirmed it', () => {
  const channel = channelOf();
  const { sink } = subscribe(channel);
  channel.restore({ start: 'a-1', events: [snapshot('a-2'), snapshot('a-3')] });
  assert.equal(channel.retained?.id, 'a-3');
  assert.equal(channel.snapshot, undefined);
  assert.deepEqual(told(channel, ['a-2']), []);
  channel.confirm();
  assert.deepEqual(sink.labels, ['snapshot a-3']);
  assert.deepEqual(told(channel, ['a-1']), ['snapshot a-2', 'snapshot a-3']);
});

test('what is restored takes the place of everything that was known', () => {
  const channel = channelOf('z-1', 'z-2');
  channel.restore({ start: undefined, events: [snapshot('a-2')] });
  channel.confirm();
  assert.equal(channel.eventsInLog, 1);
  for (const cursor of ['z-1', 'z-2']) assert.deepEqual(told(channel, [cursor]), ['snapshot a-2']);
});
