import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/channel/channel.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';
import { subscribe } from './recording-sink.ts';

/** A subscriber that has got `a-1` and whose peer does not keep up since. */
function blocked() {
  const channel = new Channel('c', { maxEvents: 100, maxBytes: 10_000 });
  const { sink, subscriber } = subscribe(channel);
  sink.fill();
  channel.apply(snapshot('a-1'));
  /** What it gets when it drains. */
  const drained = () => {
    const before = sink.labels.length;
    sink.drain(subscriber);
    return sink.labels.slice(before);
  };
  return { channel, sink, subscriber, drained };
}

const stale = () => controlEvent('stale', 'a-1', { code: 'UPSTREAM_TIMEOUT' });
const fresh = () => controlEvent('fresh', 'a-1', {});

test('nothing is written to a peer that does not keep up', () => {
  const { channel, sink, subscriber } = blocked();
  assert.ok(subscriber.isBlocked);
  channel.apply(snapshot('a-2')); // the sink throws when it is written to
  assert.deepEqual(sink.labels, ['snapshot a-1']);
});

test('a peer that drains gets only the newest of the snapshots that it missed', () => {
  const { channel, subscriber, drained } = blocked();
  for (let i = 2; i <= 50; i++) channel.apply(snapshot(`a-${i}`));
  assert.deepEqual(drained(), ['snapshot a-50']);
  assert.ok(!subscriber.isBlocked);
});

test('a peer that drains and missed nothing gets nothing', () => {
  assert.deepEqual(blocked().drained(), []);
});

test('a peer that drained is live again', () => {
  const { channel, sink, drained } = blocked();
  drained();
  channel.apply(snapshot('a-2'));
  channel.apply(snapshot('a-3'));
  assert.deepEqual(sink.labels, ['snapshot a-1', 'snapshot a-2', 'snapshot a-3']);
});

test('a failure that came and went while a peer was blocked is not told', () => {
  const { channel, drained } = blocked();
  channel.apply(stale());
  channel.apply(fresh());
  assert.deepEqual(drained(), []);
});

test('a failure that lasts is told when the peer drains, after the state', () => {
  const { channel, drained } = blocked();
  channel.apply(snapshot('a-2'));
  channel.apply(stale());
  assert.deepEqual(drained(), ['snapshot a-2', 'stale a-1']);
});

test('an end of a failure is told when the peer drains, if it knew of the failure', () => {
  const { channel, sink, drained } = blocked();
  drained();
  sink.fill();
  channel.apply(stale());
  channel.apply(snapshot('a-2'));
  channel.apply(fresh());
  assert.deepEqual(drained(), ['snapshot a-2', 'fresh a-2']);
});

test('a failure that is told and still lasts is not told again', () => {
  const { channel, sink, drained } = blocked();
  drained();
  sink.fill();
  channel.apply(stale());
  channel.apply(fresh());
  channel.apply(stale());
  assert.deepEqual(drained(), []);
});

test('a peer that drains after the last word gets only that, and is ended', () => {
  const { channel, sink, drained } = blocked();
  channel.apply(snapshot('a-2'));
  channel.apply(controlEvent('gone', undefined, { status: 410 }));
  assert.equal(sink.endedCount, 0);
  assert.deepEqual(drained(), ['gone']);
  assert.equal(sink.endedCount, 1);
});

test('a last word that fills the peer still ends it', () => {
  const { channel, sink, drained } = blocked();
  drained();
  sink.fill();
  channel.apply(controlEvent('gone', undefined, { status: 410 }));
  assert.equal(sink.endedCount, 1);
});

test('a subscriber that begins on a blocked connection gets the newest state when it drains', () => {
  const channel = new Channel('c', { maxEvents: 100, maxBytes: 10_000 });
  const { sink, subscriber } = subscribe(channel);
  sink.isWritable = false; // another URL of the same connection has filled it
  channel.apply(snapshot('a-1'));
  channel.apply(snapshot('a-2'));
  sink.drain(subscriber);
  assert.deepEqual(sink.labels, ['snapshot a-2']);
});

test('a peer that drains while it is being written to is not taken for blocked', () => {
  const channel = new Channel('c', { maxEvents: 100, maxBytes: 10_000 });
  const { sink, subscriber } = subscribe(channel);
  sink.fill();
  sink.onSend = () => {
    sink.onSend = undefined;
    sink.drain(subscriber);
  };
  channel.apply(snapshot('a-1'));
  assert.ok(!subscriber.isBlocked);
  channel.apply(snapshot('a-2'));
  assert.deepEqual(sink.labels, ['snapshot a-1', 'snapshot a-2']);
});

test('flush says whether the peer keeps up', () => {
  const { channel, sink, subscriber } = blocked();
  channel.apply(snapshot('a-2'));
  sink.isWritable = true;
  sink.fill();
  assert.equal(subscriber.flush(), false);
  sink.isWritable = true;
  assert.equal(subscriber.flush(), true);
});

test('who has left while blocked gets nothing when it drains', () => {
  const { channel, subscriber, drained } = blocked();
  channel.apply(snapshot('a-2'));
  channel.unsubscribe(subscriber);
  assert.deepEqual(drained(), []);
});
