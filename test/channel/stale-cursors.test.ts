import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/channel/channel.ts';
import { staleId } from '../../src/protocol/cursor.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';
import { subscribe } from './recording-sink.ts';

/** A channel whose last state was this one, or that knows none. */
function channelAt(...ids: string[]): Channel {
  const channel = new Channel('c', { maxEvents: 10, maxBytes: 1_000 });
  for (const id of ids) channel.apply(snapshot(id));
  return channel;
}

/** The upstream fails, as a feed tells it. */
const fail = (channel: Channel) =>
  channel.apply(controlEvent('stale', staleId(channel.snapshot?.id), { code: 'UPSTREAM_RESET' }));

/** What a client with these cursors is told at once. */
const told = (channel: Channel, ...cursors: string[]) => subscribe(channel, ...cursors).sink.labels;

test('a failure has an id of its own, with which it is told once', () => {
  const channel = channelAt('a-1');
  fail(channel);
  assert.deepEqual(told(channel, 'a-1'), ['stale a-1~stale']);
  assert.deepEqual(told(channel, 'a-1~stale'), []);
});

test('a failure before any state is known has one too', () => {
  const channel = channelAt();
  fail(channel);
  assert.deepEqual(told(channel), ['stale ~stale']);
  assert.deepEqual(told(channel, '~stale'), []);
});

test('who knows of a failure that is over is told so, and who does not is not', () => {
  const channel = channelAt('a-1', 'a-2');
  assert.deepEqual(told(channel, 'a-2~stale'), ['fresh a-2']);
  assert.deepEqual(told(channel, 'a-2'), []);
});

test('who knows of a failure gets the state that it missed before the end of the failure', () => {
  const channel = channelAt('a-1', 'a-2', 'a-3');
  assert.deepEqual(told(channel, 'a-1~stale'), ['snapshot a-2', 'snapshot a-3', 'fresh a-3']);
  assert.deepEqual(told(channel, 'z-9~stale'), ['snapshot a-3', 'fresh a-3']);
  assert.deepEqual(told(channel, '~stale'), ['snapshot a-3', 'fresh a-3']);
});

test('who knows of a failure that lasts gets only what it missed of the state', () => {
  const channel = channelAt('a-1', 'a-2');
  fail(channel);
  assert.deepEqual(told(channel, 'a-1~stale'), ['snapshot a-2']);
  assert.deepEqual(told(channel, '~stale'), ['snapshot a-2']);
});

test('who resumed knowing of a failure is told when it ends, and of the next one', () => {
  const channel = channelAt('a-1');
  fail(channel);
  const { sink } = subscribe(channel, 'a-1~stale');
  channel.apply(controlEvent('fresh', 'a-1', {}));
  fail(channel);
  assert.deepEqual(sink.labels, ['fresh a-1', 'stale a-1~stale']);
});

test('who waits for the state with such a cursor is not told again, and told of the end', () => {
  const lasts = channelAt();
  const { sink: first } = subscribe(lasts, '~stale');
  fail(lasts);
  assert.deepEqual(first.labels, []);
  const over = channelAt('a-1');
  over.rest();
  const { sink: second } = subscribe(over, 'a-1~stale');
  over.confirm();
  assert.deepEqual(second.labels, ['fresh a-1']);
});

test('a failure while a client with such a cursor is blocked is not told again', () => {
  const channel = channelAt('a-1');
  fail(channel);
  const { sink, subscriber } = subscribe(channel, 'a-1~stale');
  sink.fill();
  channel.apply(snapshot('a-2'));
  channel.apply(controlEvent('fresh', 'a-2', {}));
  fail(channel);
  sink.drain(subscriber);
  assert.deepEqual(sink.labels, ['snapshot a-2']);
});

test('a last word is told whatever a client knows', () => {
  const channel = channelAt('a-1');
  channel.apply(controlEvent('gone', undefined, { status: 410 }));
  assert.deepEqual(told(channel, 'a-1~stale'), ['gone']);
});

// A browser repeats the URL that it began with: the `since` in it is old.
test('what the cursor that counts does not know, an older one does not make known', () => {
  const failing = channelAt('a-1', 'a-2');
  fail(failing);
  assert.deepEqual(told(failing, 'a-2', 'a-1~stale'), ['stale a-2~stale']);
  assert.deepEqual(told(channelAt('a-1', 'a-2'), 'a-2', 'a-1~stale'), []);
});

test('of several cursors the one that is known says what is known of a failure', () => {
  const failing = channelAt('a-1', 'a-2');
  fail(failing);
  assert.deepEqual(told(failing, 'z-7', 'a-2~stale'), []);
  assert.deepEqual(told(channelAt('a-1', 'a-2'), 'z-7', 'a-2~stale'), ['fresh a-2']);
});
