import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Channel } from '../../src/channel/channel.ts';
import { Channels } from '../../src/channel/channels.ts';
import { Buffered } from '../../src/live/buffered.ts';
import { LimitLog } from '../../src/live/limit-log.ts';
import { Backlog, Unread } from '../../src/transport/unread.ts';
import { snapshot } from '../protocol/events.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recordingLog } from '../support/recording-log.ts';

const MAX = 100_000;
const LOG = { maxEvents: 100, maxBytes: MAX * 10 };

/** Memory with channels of the test's own, and readers that wait until they are cut. */
function scene() {
  const clock = createFakeClock();
  const { log, lines } = recordingLog();
  const onGrowth = () => buffered.onGrowth();
  const unread = new Unread(onGrowth);
  const channels = new Channels({
    maxChannels: 100,
    maxRestingBytes: MAX * 10,
    restMs: 60_000,
    onGrowth,
  });
  const readers: { backlog: Backlog; bytes: number; hasTaken: boolean; isCut: boolean }[] = [];
  const streams = {
    recount() {
      for (const { backlog, hasTaken } of readers) if (hasTaken) backlog.clear();
    },
    cutSlowest(isEnough: () => boolean) {
      let cut = 0;
      for (const reader of [...readers].sort((a, b) => b.bytes - a.bytes)) {
        if (isEnough()) break;
        reader.backlog.clear();
        reader.isCut = true;
        cut += 1;
      }
      return cut;
    },
  };
  const limitLog = new LimitLog(clock, log);
  const options = { maxBytes: MAX, channels, unread, streams, clock, log, limitLog };
  const buffered: Buffered = new Buffered(options);
  let seq = 0;
  const publish = (channel: Channel | undefined, bytes: number) => {
    seq += 1;
    channel?.apply(snapshot(`e-${seq}`, 'x'.repeat(bytes)));
  };
  const use = (name: string) => channels.use(name, LOG);
  const wait = (bytes: number) => {
    const backlog = new Backlog(unread);
    const reader = { backlog, bytes, hasTaken: false, isCut: false };
    readers.push(reader);
    backlog.add(Buffer.alloc(bytes));
    return reader;
  };
  const total = () =>
    channels.stateBytes + channels.logBytes + channels.restingBytes + unread.bytes;
  const settle = () => clock.advance(0);
  const warnings = () => lines.filter(({ level }) => level === 'warn');
  return { buffered, channels, unread, clock, publish, use, wait, total, settle, warnings };
}

test('channels at rest are given up first, the oldest before the others', async () => {
  const { channels, publish, use, total, settle } = scene();
  for (const name of ['old', 'new']) {
    const channel = use(name);
    publish(channel, 20_000);
    assert.ok(channel);
    channels.rest(channel);
  }
  const active = use('active');
  publish(active, 11_000);
  assert.ok(total() > MAX);
  await settle();
  assert.ok(total() <= MAX);
  assert.equal(use('old')?.retained, undefined);
  assert.notEqual(use('new')?.retained, undefined);
  assert.equal(channels.logBytes > 0, true, 'logs were not needed');
});

test('then the logs: who has missed some events gets a snapshot, who has none misses nothing', async () => {
  const { channels, publish, use, wait, total, settle } = scene();
  const channel = use('a');
  for (let i = 0; i < 9; i++) publish(channel, 10_000);
  const reader = wait(1_000);
  assert.ok(total() > MAX);
  await settle();
  assert.deepEqual([channels.stateBytes, channels.logBytes], [10_000, 0]);
  assert.equal(channel?.eventsInLog, 0);
  assert.equal(reader.isCut, false);
});

test('then those readers for whom most waits, and no more of them than needed', async () => {
  const { publish, use, wait, total, settle, warnings } = scene();
  publish(use('a'), 10_000);
  const [small, large, middle] = [15_000, 50_000, 30_000].map(wait);
  await settle();
  assert.deepEqual([small?.isCut, large?.isCut, middle?.isCut], [false, true, false]);
  assert.ok(total() <= MAX);
  assert.deepEqual(
    warnings().map(({ message }) => message),
    ['limits.bufferedBytes is reached'],
  );
});

test('nobody is cut for what the logs hold', async () => {
  const { publish, use, wait, settle } = scene();
  const reader = wait(60_000);
  const channel = use('a');
  for (let i = 0; i < 4; i++) publish(channel, 35_000);
  await settle();
  assert.equal(reader.isCut, false);
});

test('states take nine tenths at most: what is larger has no room', async () => {
  const { buffered, publish, use, warnings } = scene();
  assert.equal(buffered.hasRoomFor(90_000), true);
  publish(use('a'), 50_000);
  assert.equal(buffered.hasRoomFor(40_000), true);
  assert.deepEqual(warnings(), []);
  assert.equal(buffered.hasRoomFor(40_001), false);
  assert.equal(warnings().length, 1);
  assert.equal(buffered.hasRoomFor(-1), true, 'a smaller state always has');
});

test('new streams are refused while states and unread events take more than nine tenths', async () => {
  const { buffered, publish, use, wait, settle } = scene();
  publish(use('a'), 30_000);
  await settle();
  assert.equal(buffered.isFull, false);
  const reader = wait(60_001);
  await settle();
  assert.equal(reader.isCut, false);
  assert.equal(buffered.isFull, true);
  reader.backlog.clear();
  assert.equal(buffered.isFull, false);
});

test('what readers have taken meanwhile is found out before anybody is refused', async () => {
  const { buffered, wait, settle, clock } = scene();
  const reader = wait(95_000);
  await settle();
  assert.equal(buffered.isFull, true);
  reader.hasTaken = true;
  assert.equal(buffered.isFull, true, 'looked up a moment ago');
  await clock.advance(1_000);
  assert.equal(buffered.isFull, false);
});

test('a channel that ends, or rests and is given up, takes nothing with it', async () => {
  const { channels, publish, use, settle, total } = scene();
  const channel = use('a');
  publish(channel, 1_000);
  publish(channel, 2_000);
  assert.deepEqual([channels.stateBytes, channels.logBytes], [2_000, 3_000]);
  assert.ok(channel);
  channels.rest(channel);
  assert.deepEqual([channels.stateBytes, channels.logBytes], [0, 0]);
  assert.ok(channels.restingBytes >= 5_000);
  const again = use('a');
  assert.equal(again, channel);
  assert.deepEqual([channels.stateBytes, channels.logBytes], [2_000, 3_000]);
  assert.equal(channels.restingBytes, 0);
  publish(again, 500);
  assert.deepEqual([channels.stateBytes, channels.logBytes], [500, 3_500]);
  channel.apply({ ...snapshot('e-9', '{}'), type: 'gone' });
  assert.equal(total(), 0);
  channels.rest(channel);
  await settle();
  assert.equal(total(), 0);
});

test('a log that was shortened knows the newest state still', () => {
  const { publish, use } = scene();
  const channel = use('a');
  publish(channel, 10);
  publish(channel, 10);
  const newest = channel?.retained?.id ?? '';
  channel?.shortenLog();
  const told: string[] = [];
  const sink = {
    transport: 'test',
    takesPatches: false,
    isWritable: true,
    send(events: readonly { readonly id?: string }[]) {
      for (const { id } of events) told.push(id ?? '');
      return true;
    },
    ended: () => undefined,
  };
  channel?.subscribe(sink, [newest]);
  assert.deepEqual(told, []);
  channel?.subscribe(sink, ['e-1']);
  assert.deepEqual(told, [newest]);
});

test('a view of another channel counts nothing: the events are those of the other', () => {
  const { channels, publish, use } = scene();
  publish(use('state'), 1_000);
  const views = ['a', 'b'].map((name) => channels.use(name, LOG, 'view'));
  for (const view of views) publish(view, 1_000);
  assert.deepEqual([channels.stateBytes, channels.logBytes], [1_000, 1_000]);
  for (const view of views) if (view) channels.rest(view);
  assert.deepEqual([channels.stateBytes, channels.logBytes], [1_000, 1_000]);
});
