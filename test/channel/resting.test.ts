import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/channel/channel.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';
import { subscribe } from './recording-sink.ts';

/** A channel at rest whose last state was `a-2`. */
function restingChannel(): Channel {
  const channel = new Channel('c', { maxEvents: 10, maxBytes: 1_000 });
  channel.apply(snapshot('a-1'));
  channel.apply(snapshot('a-2'));
  channel.rest();
  return channel;
}

test('state that is retained is for comparing with, and shown to nobody', () => {
  const channel = restingChannel();
  assert.equal(channel.snapshot, undefined);
  assert.equal(channel.retained?.id, 'a-2');
  for (const cursors of [[], ['a-1'], ['a-2']]) {
    assert.deepEqual(subscribe(channel, ...cursors).sink.labels, []);
  }
});

test('a failing upstream does not bring retained state to light', () => {
  const channel = restingChannel();
  const { sink } = subscribe(channel);
  channel.apply(controlEvent('stale', undefined, {}));
  assert.deepEqual(sink.labels, ['stale']);
  assert.deepEqual(subscribe(channel).sink.labels, ['stale']);
  assert.equal(channel.snapshot, undefined);
});

test('a refusal purges retained state unseen', () => {
  const channel = restingChannel();
  const { sink } = subscribe(channel, 'a-1');
  channel.apply(controlEvent('unauthorized', undefined, { status: 401 }));
  assert.deepEqual(sink.labels, ['unauthorized']);
  assert.equal(channel.retained, undefined);
});

test('a confirmation shows retained state to those who wait, and resumes their cursors', () => {
  const channel = restingChannel();
  const sinks = [[], ['a-1'], ['a-2'], ['z-1']].map((ids) => subscribe(channel, ...ids).sink);
  channel.confirm();
  assert.deepEqual(
    sinks.map(({ labels }) => labels),
    [['snapshot a-2'], ['snapshot a-2'], [], ['snapshot a-2']],
  );
});

test('a confirmation reaches those who are open because they were told of a failure', () => {
  const channel = restingChannel();
  const { sink } = subscribe(channel);
  channel.apply(controlEvent('stale', undefined, {}));
  channel.confirm();
  channel.apply(controlEvent('fresh', 'a-2', {}));
  assert.deepEqual(sink.labels, ['stale', 'snapshot a-2', 'fresh a-2']);
});

test('a confirmation while a peer is blocked is told when it drains', () => {
  const channel = restingChannel();
  const { sink, subscriber } = subscribe(channel);
  sink.fill();
  channel.apply(controlEvent('stale', undefined, {}));
  channel.confirm();
  assert.deepEqual(sink.labels, ['stale']);
  sink.drain(subscriber);
  assert.deepEqual(sink.labels, ['stale', 'snapshot a-2']);
});

test('confirming twice tells nobody anything twice', () => {
  const channel = restingChannel();
  const { sink } = subscribe(channel);
  channel.confirm();
  channel.confirm();
  assert.deepEqual(sink.labels, ['snapshot a-2']);
});

test('there is nothing to confirm where nothing was retained', () => {
  const channel = new Channel('c', { maxEvents: 10, maxBytes: 1_000 });
  const { sink } = subscribe(channel);
  channel.confirm();
  assert.deepEqual(sink.labels, []);
  assert.equal(channel.snapshot, undefined);
});

test('a change of retained state continues the log: an old cursor is replayed', () => {
  const channel = restingChannel();
  const { sink } = subscribe(channel, 'a-2');
  channel.apply(snapshot('b-1'));
  assert.deepEqual(sink.labels, ['snapshot b-1']);
  assert.deepEqual(subscribe(channel, 'a-1').sink.labels, ['snapshot a-2', 'snapshot b-1']);
});

test('retained state that the backplane tells again is confirmed, not logged twice', () => {
  const channel = restingChannel();
  const { sink } = subscribe(channel, 'a-1');
  channel.apply(snapshot('a-2'));
  assert.deepEqual(sink.labels, ['snapshot a-2']);
  assert.deepEqual(subscribe(channel, 'a-1').sink.labels, ['snapshot a-2']);
});

test('a failure does not outlast the rest', () => {
  const channel = restingChannel();
  channel.apply(controlEvent('stale', undefined, {}));
  channel.rest();
  const { sink } = subscribe(channel);
  channel.confirm();
  assert.deepEqual(sink.labels, ['snapshot a-2']);
});

test('a peer that was blocked at the last word still hears it after the channel came to rest', () => {
  const channel = new Channel('c', { maxEvents: 10, maxBytes: 1_000 });
  const { sink, subscriber } = subscribe(channel);
  sink.fill();
  channel.apply(snapshot('a-1'));
  channel.apply(controlEvent('unauthorized', undefined, { status: 401 }));
  channel.rest(); // the feed closes in the same turn
  sink.drain(subscriber);
  assert.deepEqual(sink.labels, ['snapshot a-1', 'unauthorized']);
  assert.equal(sink.endedCount, 1);
});
