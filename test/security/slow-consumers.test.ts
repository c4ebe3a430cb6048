import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawPeer } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { MIB, startSized } from './memory-scene.ts';

/*
 * Readers that read nothing, each stuck at another state: what waits for them is bounded, it costs
 * those for whom most waits their connection, and nobody else anything.
 */

/** More than the kernel takes of it. */
const BIG = `bytes=${16 * MIB}`;
const READERS = 100;

test('stalled readers are cut when they hold too much, and all others miss nothing', async (t) => {
  const scene = await startSized(t, { bufferedBytes: '80MiB' });
  const { open, drink, stall, change, proxy, warnings } = scene;
  const readers = await Promise.all(Array.from({ length: READERS }, () => open('bytes=1000')));
  const large = await drink(BIG);
  for (const reader of readers) assert.equal(await reader.next(), 'snapshot 1');

  const changes = 6;
  for (let version = 2; version <= changes + 1; version++) {
    await stall(BIG);
    await change();
    for (const reader of readers) assert.equal(await reader.next(), `snapshot ${version}`);
    await until(() => large.states === version);
  }
  // Six times 16 MiB wait, and there is the state itself: more than there is room for.
  await until(() => proxy.streamCount < READERS + 1 + changes);
  assert.ok(proxy.streamCount > READERS + 1, 'no more are cut than needed');
  assert.ok(warnings().includes('limits.bufferedBytes is reached'));
  await change();
  for (const reader of readers) assert.equal(await reader.next(), `snapshot ${changes + 2}`);
  await until(() => large.states === changes + 2);
});

test('stalled readers of one and the same state hold it once, and are not cut for it', async (t) => {
  const { drink, stall, proxy, warnings, clock } = await startSized(t, { bufferedBytes: '80MiB' });
  const reader = await drink(BIG);
  await until(() => reader.states === 1);
  for (let i = 0; i < 8; i++) await stall(BIG);
  await clock.advance(1_000);
  assert.equal(proxy.streamCount, 9);
  assert.deepEqual(warnings(), []);
});

test('answers to long polls are each of its own: those that are not read are cut', async (t) => {
  const { drink, stall, proxy } = await startSized(t, { bufferedBytes: '80MiB' });
  const reader = await drink(BIG);
  await until(() => reader.states === 1);
  const polls: RawPeer[] = [];
  for (let i = 0; i < 4; i++) polls.push(await stall(BIG, 'poll'));
  await until(() => proxy.streamCount < 5);
  assert.ok(proxy.streamCount > 1);
  let cut = 0;
  for (const { socket, closed } of polls) {
    socket.resume();
    void closed.then(() => {
      cut += 1;
    });
  }
  const isWhole = ({ socket }: RawPeer) => socket.bytesRead > 16 * MIB;
  await until(() => polls.filter(isWhole).length + cut === polls.length);
  assert.ok(cut > 0 && cut < polls.length, 'a cut answer is seen to be cut');
});
