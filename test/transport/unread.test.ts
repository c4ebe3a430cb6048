import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backlog, Unread } from '../../src/transport/unread.ts';
import { createFakeClock } from '../support/fake-clock.ts';

test('what several connections wait with is in memory once, and counts once', () => {
  let growths = 0;
  const unread = new Unread(() => {
    growths += 1;
  });
  const frame = Buffer.alloc(1_000);
  const backlogs = [1, 2, 3].map(() => new Backlog(unread));
  for (const backlog of backlogs) backlog.add(frame);
  assert.deepEqual([unread.bytes, growths], [1_000, 1]);
  for (const backlog of backlogs.slice(1)) backlog.clear();
  assert.equal(unread.bytes, 1_000, 'somebody waits with it still');
  backlogs[0]?.clear();
  assert.equal(unread.bytes, 0);
});

test('frames of equal bytes that are not the same count each', () => {
  const unread = new Unread();
  const backlog = new Backlog(unread);
  backlog.add(Buffer.from('x'));
  backlog.add(Buffer.from('x'));
  assert.equal(unread.bytes, 2);
  assert.equal(backlog.isEmpty, false);
  backlog.clear();
  assert.deepEqual([unread.bytes, backlog.isEmpty], [0, true]);
});

test('a frame that is written twice to one connection is held until both are read', () => {
  const unread = new Unread();
  const backlog = new Backlog(unread);
  const frame = Buffer.from('x');
  backlog.add(frame);
  backlog.add(frame);
  assert.equal(unread.bytes, 1);
  backlog.clear();
  backlog.clear();
  assert.equal(unread.bytes, 0);
});

test('what nobody holds can be released without harm', () => {
  const unread = new Unread();
  unread.release(Buffer.from('x'));
  assert.equal(unread.bytes, 0);
});

test('a peer has waited since it last had taken everything', async () => {
  const clock = createFakeClock();
  const backlog = new Backlog(new Unread(() => undefined, clock));
  backlog.add(Buffer.from('x'));
  await clock.advance(100);
  backlog.add(Buffer.from('y'));
  await clock.advance(100);
  assert.equal(backlog.waitedMs, 200);
  backlog.clear();
  assert.equal(backlog.waitedMs, 0);
  backlog.add(Buffer.from('z'));
  await clock.advance(50);
  assert.equal(backlog.waitedMs, 50);
});
