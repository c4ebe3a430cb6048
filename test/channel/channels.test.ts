import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Channel } from '../../src/channel/channel.ts';
import { Channels } from '../../src/channel/channels.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';

const LOG = { maxEvents: 10, maxBytes: 10_000 };
const LIMITS = { maxChannels: 3, maxRestingBytes: 20_000, restMs: 60_000 };

/** Take a channel into use, give it a state, and let it rest. */
function useAndRest(channels: Channels, name: string, bytes = 10): Channel {
  const channel = channels.use(name, LOG);
  assert.ok(channel);
  channel.apply(snapshot(`${name}-1`, 'x'.repeat(bytes)));
  channels.rest(channel);
  return channel;
}

test('a name in use is one channel', () => {
  const channels = new Channels(LIMITS);
  assert.equal(channels.use('a', LOG), channels.use('a', LOG));
  assert.notEqual(channels.use('a', LOG), channels.use('b', LOG));
  assert.equal(channels.size, 2);
});

test('there are no more channels in use than allowed', () => {
  const channels = new Channels(LIMITS);
  const [first] = ['a', 'b', 'c'].map((name) => channels.use(name, LOG));
  assert.equal(channels.use('d', LOG), undefined);
  assert.equal(channels.use('a', LOG), first, 'one that is in use already has its place');
  assert.ok(first);
  channels.rest(first);
  assert.ok(channels.use('d', LOG), 'one that rests has given up its place');
});

test('a channel at rest is kept with its state, which is not shown before a poll', () => {
  const channels = new Channels(LIMITS);
  const channel = useAndRest(channels, 'a');
  assert.equal(channels.size, 0);
  assert.equal(channel.snapshot, undefined);
  assert.equal(channels.use('a', LOG), channel);
  assert.equal(channel.retained?.id, 'a-1');
  assert.equal(channels.size, 1);
});

test('a channel without state is not kept', () => {
  const channels = new Channels(LIMITS);
  const channel = channels.use('a', LOG);
  assert.ok(channel);
  channels.rest(channel);
  assert.notEqual(channels.use('a', LOG), channel);
});

test('a channel that said its last word is not kept', () => {
  const channels = new Channels(LIMITS);
  const channel = channels.use('a', LOG);
  assert.ok(channel);
  channel.apply(snapshot('a-1'));
  channel.apply(controlEvent('unauthorized', undefined, {}));
  channels.rest(channel);
  const next = channels.use('a', LOG);
  assert.notEqual(next, channel);
  assert.equal(next?.retained, undefined);
});

test('who rests a channel twice does not rest its successor', () => {
  const channels = new Channels(LIMITS);
  const channel = channels.use('a', LOG);
  assert.ok(channel);
  channels.rest(channel);
  const successor = channels.use('a', LOG);
  channels.rest(channel);
  assert.equal(channels.use('a', LOG), successor);
  assert.equal(channels.size, 1);
});

test('the oldest at rest leave when there are too many', () => {
  const channels = new Channels(LIMITS);
  const [oldest, ...others] = ['a', 'b', 'c', 'd'].map((name) => useAndRest(channels, name));
  assert.notEqual(channels.use('a', LOG), oldest);
  assert.equal(channels.use('d', LOG), others.at(-1));
});

test('the oldest at rest leave when they hold too many bytes', () => {
  const channels = new Channels(LIMITS);
  // State and log hold the body once each in the count: 8000 and some overhead for each.
  const [first, second, third] = ['a', 'b', 'c'].map((name) => useAndRest(channels, name, 4_000));
  assert.notEqual(channels.use('a', LOG), first);
  assert.equal(channels.use('b', LOG), second);
  assert.equal(channels.use('c', LOG), third);
});

test('a channel that is too large to rest is not kept, and pushes nobody out', () => {
  const channels = new Channels(LIMITS);
  const small = useAndRest(channels, 'small');
  const large = useAndRest(channels, 'large', 30_000);
  assert.notEqual(channels.use('large', LOG), large);
  assert.equal(channels.use('small', LOG), small);
});

/** The cache at rest reads `performance` and remembers the moment by a timer of a millisecond. */
function mockTime(t: TestContext): (ms: number) => void {
  let now = 1_000;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return (ms) => {
    now += ms;
    t.mock.timers.tick(ms);
  };
}

test('a channel rests for a while and then leaves', (t) => {
  const advance = mockTime(t);
  const channels = new Channels(LIMITS);
  const channel = useAndRest(channels, 'a');
  advance(LIMITS.restMs - 1);
  assert.equal(channels.use('a', LOG), channel);
  channels.rest(channel);
  advance(LIMITS.restMs + 1);
  assert.notEqual(channels.use('a', LOG), channel);
});
