import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/channel/channel.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { label, snapshot } from '../protocol/events.ts';
import { subscribe } from './recording-sink.ts';

/** A channel that has got snapshots of these ids. */
function channelOf(...ids: string[]): Channel {
  const channel = new Channel('c', { maxEvents: 3, maxBytes: 1_000 });
  for (const id of ids) channel.apply(snapshot(id));
  return channel;
}

const stale = (id?: string) => controlEvent('stale', id, { code: 'UPSTREAM_STATUS' });
const fresh = (id?: string) => controlEvent('fresh', id, {});
const unauthorized = () => controlEvent('unauthorized', undefined, { status: 401 });

test('a new subscriber gets the newest snapshot at once', () => {
  const { sink } = subscribe(channelOf('a-1', 'a-2'));
  assert.deepEqual(sink.labels, ['snapshot a-2']);
});

test('a subscriber waits until the state is known', () => {
  const channel = channelOf();
  const { sink } = subscribe(channel);
  assert.deepEqual(sink.labels, []);
  channel.apply(snapshot('a-1'));
  channel.apply(snapshot('a-2'));
  assert.deepEqual(sink.labels, ['snapshot a-1', 'snapshot a-2']);
});

test('every subscriber gets the very same event', () => {
  const channel = channelOf();
  const sinks = [subscribe(channel).sink, subscribe(channel).sink];
  const event = snapshot('a-1');
  channel.apply(event);
  for (const sink of sinks) assert.equal(sink.events[0], event);
});

test('a known cursor gets what came after it', () => {
  const channel = channelOf('a-1', 'a-2', 'a-3');
  assert.deepEqual(subscribe(channel, 'a-1').sink.labels, ['snapshot a-2', 'snapshot a-3']);
});

test('the newest cursor gets nothing until the next change', () => {
  const channel = channelOf('a-1', 'a-2');
  const { sink } = subscribe(channel, 'a-2');
  assert.deepEqual(sink.labels, []);
  channel.apply(snapshot('a-3'));
  assert.deepEqual(sink.labels, ['snapshot a-3']);
});

test('a cursor that fell out of the log gets a snapshot', () => {
  const channel = channelOf('a-1', 'a-2', 'a-3', 'a-4', 'a-5');
  assert.deepEqual(subscribe(channel, 'a-1').sink.labels, ['snapshot a-5']);
});

test('a cursor of an older epoch gets a snapshot', () => {
  assert.deepEqual(subscribe(channelOf('b-1'), 'a-9').sink.labels, ['snapshot b-1']);
});

test('of several cursors the first that is known counts', () => {
  const channel = channelOf('a-1', 'a-2', 'a-3');
  const { sink } = subscribe(channel, 'z-9', 'a-2', 'a-1');
  assert.deepEqual(sink.labels, ['snapshot a-3']);
});

test('a cursor that a waiting subscriber brought counts when the state becomes known', () => {
  const channel = channelOf('a-1');
  channel.rest();
  const { sink } = subscribe(channel, 'a-1');
  channel.confirm();
  assert.deepEqual(sink.labels, []);
  channel.apply(snapshot('a-2'));
  assert.deepEqual(sink.labels, ['snapshot a-2']);
});

test('the same snapshot twice is told once', () => {
  const channel = channelOf('a-1');
  const { sink } = subscribe(channel);
  channel.apply(snapshot('a-1'));
  assert.deepEqual(sink.labels, ['snapshot a-1']);
});

test('a newcomer to a channel that is stale gets the last state and is told so', () => {
  const channel = channelOf('a-1');
  channel.apply(stale('a-1'));
  assert.deepEqual(subscribe(channel).sink.labels, ['snapshot a-1', 'stale a-1']);
  assert.deepEqual(subscribe(channel, 'a-1').sink.labels, ['stale a-1']);
  channel.apply(fresh('a-1'));
  assert.deepEqual(subscribe(channel).sink.labels, ['snapshot a-1']);
});

test('a channel that fails before any state is known says so, and then the state', () => {
  const channel = channelOf();
  const { sink } = subscribe(channel);
  channel.apply(stale());
  channel.apply(snapshot('a-1'));
  channel.apply(fresh('a-1'));
  assert.deepEqual(sink.labels, ['stale', 'snapshot a-1', 'fresh a-1']);
});

test('a subscriber that was told stale and fresh before any state still gets the first state', () => {
  const channel = channelOf();
  const { sink } = subscribe(channel);
  for (const event of [stale(), fresh(), snapshot('a-1')]) channel.apply(event);
  assert.equal(sink.labels.at(-1), 'snapshot a-1');
});

test('a fresh that comes before any state does not cost a subscriber the first state', () => {
  const channel = channelOf();
  const { sink } = subscribe(channel);
  for (const event of [fresh(), snapshot('a-1')]) channel.apply(event);
  assert.equal(sink.labels.at(-1), 'snapshot a-1');
});

test('a last word ends every subscriber, and nothing follows it', () => {
  const channel = channelOf('a-1');
  const { sink } = subscribe(channel);
  channel.apply(unauthorized());
  channel.apply(snapshot('a-2'));
  assert.deepEqual(sink.labels, ['snapshot a-1', 'unauthorized']);
  assert.equal(sink.endedCount, 1);
});

test('after its last word a channel holds nothing, and tells newcomers only that', () => {
  const channel = channelOf('a-1', 'a-2');
  channel.apply(unauthorized());
  assert.equal(channel.snapshot, undefined);
  assert.equal(channel.retained, undefined);
  assert.equal(channel.bytes, 0);
  for (const cursors of [[], ['a-1'], ['a-2']]) {
    const { sink } = subscribe(channel, ...cursors);
    assert.deepEqual(sink.labels, ['unauthorized']);
    assert.equal(sink.endedCount, 1);
  }
});

test('a last word reaches those who still wait for the first state', () => {
  const channel = channelOf();
  const { sink } = subscribe(channel);
  channel.apply(controlEvent('gone', undefined, { status: 404 }));
  assert.deepEqual(sink.labels, ['gone']);
  assert.equal(sink.endedCount, 1);
});

test('who has left gets nothing more', () => {
  const channel = channelOf('a-1');
  const { sink, subscriber } = subscribe(channel);
  assert.equal(channel.subscriberCount, 1);
  channel.unsubscribe(subscriber);
  assert.equal(channel.subscriberCount, 0);
  channel.apply(snapshot('a-2'));
  assert.deepEqual(sink.labels, ['snapshot a-1']);
});

test('who leaves while an event is being delivered does not get it', () => {
  const channel = channelOf('a-1');
  const first = subscribe(channel);
  const second = subscribe(channel);
  first.sink.onSend = () => channel.unsubscribe(second.subscriber);
  channel.apply(snapshot('a-2'));
  assert.deepEqual(second.sink.labels, ['snapshot a-1']);
});

test('who comes while an event is being delivered gets it once', () => {
  for (const channel of [channelOf(), channelOf('a-1')]) {
    const first = subscribe(channel);
    const late: ReturnType<typeof subscribe>[] = [];
    first.sink.onSend = () => {
      first.sink.onSend = undefined;
      late.push(subscribe(channel));
    };
    channel.apply(snapshot('a-2'));
    assert.deepEqual(late[0]?.sink.labels, ['snapshot a-2']);
  }
});

test('a channel counts the bytes of its state and its log', () => {
  const channel = new Channel('c', { maxEvents: 2, maxBytes: 1_000 });
  assert.equal(channel.bytes, 0);
  for (const id of ['a-1', 'a-2', 'a-3']) channel.apply(snapshot(id, 'x'.repeat(100)));
  assert.equal(channel.bytes, 300);
});

test('who watches sees every event from then on, and is no subscriber', () => {
  const channel = channelOf('a-1');
  const seen: string[] = [];
  const stop = channel.watch((event) => seen.push(label(event)));
  assert.equal(channel.subscriberCount, 0);
  channel.apply(snapshot('a-2'));
  channel.apply(snapshot('a-2'));
  channel.apply(unauthorized());
  stop();
  channel.apply(snapshot('a-3'));
  assert.deepEqual(seen, ['snapshot a-2', 'unauthorized']);
});
