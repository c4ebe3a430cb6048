import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelChange } from '../../src/live/hub-outbox.ts';
import { HubOutbox } from '../../src/live/hub-outbox.ts';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { label, snapshot } from '../protocol/events.ts';

/** An outbox, and what has left it: `snapshot a-1 > 1 2`. */
function outboxOf() {
  const sent: string[] = [];
  const events: (ChannelEvent | undefined)[] = [];
  const outbox = new HubOutbox(({ event, refs }: ChannelChange) => {
    sent.push(`${event ? label(event) : 'rest'} > ${refs.join(' ')}`);
    events.push(event);
  });
  return { outbox, sent, events };
}

/** The end of this turn. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what many channels get in one turn is sent once, at the end of it', async () => {
  const { outbox, sent, events } = outboxOf();
  const event = snapshot('a-1');
  for (const ref of [3, 1, 2]) outbox.add(ref, event);
  assert.deepEqual(sent, []);
  await turn();
  assert.deepEqual(sent, ['snapshot a-1 > 3 1 2']);
  assert.equal(events[0], event);
});

test('channels that rest in one turn are named together', async () => {
  const { outbox, sent } = outboxOf();
  for (const ref of [1, 2]) outbox.add(ref, undefined);
  await turn();
  assert.deepEqual(sent, ['rest > 1 2']);
});

test('everything leaves in the order in which it happened', async () => {
  const { outbox, sent } = outboxOf();
  const [first, second] = [snapshot('a-1'), snapshot('a-2')];
  outbox.add(1, first);
  outbox.add(1, undefined);
  outbox.add(2, undefined);
  outbox.add(1, first);
  outbox.add(2, second);
  outbox.add(1, second);
  outbox.add(2, first);
  await turn();
  assert.deepEqual(sent, [
    'snapshot a-1 > 1',
    'rest > 1 2',
    'snapshot a-1 > 1',
    'snapshot a-2 > 2 1',
    'snapshot a-1 > 2',
  ]);
});

test('events that only look alike are not taken for one', async () => {
  const { outbox, sent } = outboxOf();
  outbox.add(1, snapshot('a-1'));
  outbox.add(2, snapshot('a-1'));
  await turn();
  assert.deepEqual(sent, ['snapshot a-1 > 1', 'snapshot a-1 > 2']);
});

test('what happens in a later turn is sent by itself', async () => {
  const { outbox, sent } = outboxOf();
  const event = snapshot('a-1');
  outbox.add(1, event);
  await turn();
  outbox.add(2, event);
  await turn();
  await turn();
  assert.deepEqual(sent, ['snapshot a-1 > 1', 'snapshot a-1 > 2']);
});

test('a flush sends all that has happened, once, and the turn goes on', async () => {
  const { outbox, sent } = outboxOf();
  outbox.add(1, snapshot('a-1'));
  outbox.flush();
  assert.deepEqual(sent, ['snapshot a-1 > 1']);
  outbox.flush();
  outbox.add(1, snapshot('a-2'));
  assert.equal(sent.length, 1);
  await turn();
  assert.deepEqual(sent, ['snapshot a-1 > 1', 'snapshot a-2 > 1']);
});

test('what happens while it is sent is sent as well', async () => {
  const sent: number[] = [];
  const outbox = new HubOutbox(({ refs: [ref = 0] }) => {
    sent.push(ref);
    if (ref < 3) outbox.add(ref + 1, snapshot('a-1'));
  });
  outbox.add(1, snapshot('a-1'));
  await turn();
  assert.deepEqual(sent, [1, 2, 3]);
});
