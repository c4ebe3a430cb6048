import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/channel/channel.ts';
import { staleId } from '../../src/protocol/cursor.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';
import { RecordingSink } from './recording-sink.ts';

/** A peer that wants to know when its state is current. */
class ConfirmedSink extends RecordingSink {
  readonly wantsConfirmation = true;
}

function channelAt(...ids: string[]): Channel {
  const channel = new Channel('c', { maxEvents: 10, maxBytes: 1_000 });
  for (const id of ids) channel.apply(snapshot(id));
  return channel;
}

function subscribe(channel: Channel, ...cursors: string[]) {
  const sink = new ConfirmedSink();
  return { sink, subscriber: channel.subscribe(sink, cursors) };
}

test('who has the newest state is told that it is current, once', () => {
  const channel = channelAt('a-1', 'a-2');
  const { sink } = subscribe(channel, 'a-2');
  assert.deepEqual(sink.labels, ['fresh a-2']);
  channel.apply(snapshot('a-3'));
  assert.deepEqual(sink.labels, ['fresh a-2', 'snapshot a-3']);
});

test('who has missed something is told that and nothing else', () => {
  assert.deepEqual(subscribe(channelAt('a-1', 'a-2'), 'a-1').sink.labels, ['snapshot a-2']);
  assert.deepEqual(subscribe(channelAt('a-1'), 'z-9').sink.labels, ['snapshot a-1']);
});

test('a state that has not been polled again yet is not confirmed before it is', () => {
  const channel = channelAt('a-1');
  channel.rest();
  const { sink } = subscribe(channel, 'a-1');
  assert.deepEqual(sink.labels, []);
  channel.confirm();
  assert.deepEqual(sink.labels, ['fresh a-1']);
});

test('nothing is confirmed while the upstream fails, whether the client knows of that or not', () => {
  const channel = channelAt('a-1');
  channel.apply(controlEvent('stale', staleId('a-1'), { code: 'UPSTREAM_RESET' }));
  assert.deepEqual(subscribe(channel, 'a-1').sink.labels, ['stale a-1~stale']);
  assert.deepEqual(subscribe(channel, 'a-1~stale').sink.labels, []);
});

test('a peer that could not be written to when it came is told when it can', () => {
  const channel = channelAt('a-1');
  const sink = new ConfirmedSink();
  sink.isWritable = false;
  const subscriber = channel.subscribe(sink, ['a-1']);
  assert.deepEqual(sink.labels, []);
  sink.drain(subscriber);
  assert.deepEqual(sink.labels, ['fresh a-1']);
});

test('a peer that was told already is not told again after it was slow', () => {
  const channel = channelAt('a-1');
  const { sink, subscriber } = subscribe(channel);
  sink.fill();
  channel.apply(snapshot('a-2'));
  sink.drain(subscriber);
  assert.deepEqual(sink.labels, ['snapshot a-1', 'snapshot a-2']);
});
