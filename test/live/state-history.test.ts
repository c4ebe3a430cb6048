import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Channel } from '../../src/channel/channel.ts';
import { StateHistory } from '../../src/live/state-history.ts';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';
import { createFakeClock } from '../support/fake-clock.ts';

/** A channel whose state is `a`, and the history of it. */
function scene() {
  const clock = createFakeClock();
  const channel = new Channel('c', { maxEvents: 3, maxBytes: 1_000 });
  channel.apply(snapshot('a'));
  const marked: string[] = [];
  const markOf = ({ id = '', data }: ChannelEvent) => {
    marked.push(id);
    return Buffer.from(data).toString();
  };
  let unfollowed = 0;
  const history = new StateHistory(channel, clock, markOf, () => {
    unfollowed += 1;
  });
  const follow = () => {
    const follower = history.follow();
    const marks = () => follower.states()?.map(({ mark }) => mark());
    return { ...follower, marks };
  };
  return { clock, channel, marked, follow, unfollowed: () => unfollowed };
}

test('who follows sees the state that was there when it began, and all that come', async () => {
  const { clock, channel, follow } = scene();
  const first = follow();
  await clock.advance(1);
  channel.apply(snapshot('b'));
  await clock.advance(1);
  const second = follow();
  channel.apply(snapshot('c'));
  assert.deepEqual(first.marks(), ['a', 'b', 'c']);
  assert.deepEqual(second.marks(), ['b', 'c']);
});

test('a state that comes in the moment in which somebody begins to follow hides none from it', () => {
  const { channel, follow } = scene();
  const follower = follow();
  channel.apply(snapshot('b'));
  assert.deepEqual(follower.marks(), ['a', 'b']);
});

test('of states that are over a short text is kept, and no data', async () => {
  const { clock, channel, follow, marked } = scene();
  const { states } = follow();
  assert.deepEqual(marked, [], 'nothing is read while nobody asks');
  await clock.advance(1);
  channel.apply(snapshot('b'));
  assert.deepEqual(
    states()?.map(({ event }) => event.data.length),
    [0, 1],
  );
  assert.deepEqual(marked, ['a']);
  for (let i = 0; i < 3; i++) for (const { mark } of states() ?? []) mark();
  assert.deepEqual(marked, ['a', 'b'], 'each is read once');
});

test('a last word is a state, other words are none', () => {
  const { channel, follow } = scene();
  const follower = follow();
  channel.apply(controlEvent('stale', undefined, { code: 'UPSTREAM_STATUS' }));
  channel.apply(controlEvent('fresh', 'a', {}));
  channel.apply(controlEvent('gone', undefined, { status: 410 }));
  assert.deepEqual(follower.marks(), ['a', 'gone']);
});

test('where states come too fast to be kept it is not said that these were all', async () => {
  const { clock, channel, follow } = scene();
  const first = follow();
  for (let i = 0; i < 600; i++) channel.apply(snapshot(`b-${i}`));
  await clock.advance(1);
  const second = follow();
  for (let i = 0; i < 600; i++) channel.apply(snapshot(`c-${i}`));
  assert.equal(first.states(), undefined);
  assert.equal(second.states()?.length, 601);
});

test('when the last one leaves the channel is looked at no more', () => {
  const { channel, follow, unfollowed, marked } = scene();
  const [first, second] = [follow(), follow()];
  first.leave();
  first.leave();
  assert.equal(unfollowed(), 0);
  second.leave();
  assert.equal(unfollowed(), 1);
  channel.apply(snapshot('b'));
  assert.deepEqual(marked, []);
});
