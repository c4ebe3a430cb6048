import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Channel } from '../../src/channel/channel.ts';
import type { Subscriber } from '../../src/channel/subscriber.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';
import { changed } from './patched.ts';
import { RecordingSink } from './recording-sink.ts';

/** A channel that went through these states, each with the difference to the one before it. */
function channelOf(last: number, first = 1): Channel {
  const channel = new Channel('c', { maxEvents: 4, maxBytes: 10_000 });
  for (let seq = first; seq <= last; seq++) channel.apply(changed(seq));
  return channel;
}

function join(channel: Channel, ...cursors: string[]) {
  const sink = new RecordingSink();
  sink.takesPatches = true;
  return { sink, subscriber: channel.subscribe(sink, cursors) };
}

test('who begins gets a snapshot, and differences from then on', () => {
  const channel = channelOf(2);
  const { sink } = join(channel);
  channel.apply(changed(3));
  channel.apply(changed(4));
  assert.deepEqual(sink.labels, ['snapshot a-2', 'patch a-3', 'patch a-4']);
});

test('who cannot tell them apart gets snapshots only', () => {
  const channel = channelOf(2);
  const sink = new RecordingSink();
  channel.subscribe(sink, ['a-1']);
  channel.apply(changed(3));
  assert.deepEqual(sink.labels, ['snapshot a-2', 'snapshot a-3']);
});

test('a change without a difference is a snapshot for everybody', () => {
  const channel = channelOf(1);
  const { sink } = join(channel, 'a-1');
  channel.apply(snapshot('a-2'));
  channel.apply(changed(3));
  assert.deepEqual(sink.labels, ['snapshot a-2', 'patch a-3']);
});

test('who comes back with a known cursor gets the differences that it missed', () => {
  const channel = channelOf(4);
  assert.deepEqual(join(channel, 'a-2').sink.labels, ['patch a-3', 'patch a-4']);
  assert.deepEqual(join(channel, 'z-1', 'a-3').sink.labels, ['patch a-4']);
  assert.deepEqual(join(channel, 'a-4').sink.labels, []);
});

test('a cursor just before the oldest event is served whole, by differences', () => {
  const channel = channelOf(6);
  const all = ['patch a-3', 'patch a-4', 'patch a-5', 'patch a-6'];
  assert.deepEqual(join(channel, 'a-2').sink.labels, all);
});

test('a cursor that is not known gets a snapshot, then differences', () => {
  const channel = channelOf(6);
  for (const cursors of [[], ['a-1'], ['b-5'], ['~stale']]) {
    const { sink } = join(channel, ...cursors);
    assert.equal(sink.labels[0], 'snapshot a-6');
  }
  const { sink } = join(channel, 'a-1');
  channel.apply(changed(7));
  assert.deepEqual(sink.labels, ['snapshot a-6', 'patch a-7']);
});

test('a difference from another state than the client has is not for it', () => {
  const channel = channelOf(1);
  const { sink } = join(channel);
  channel.apply(changed(3));
  assert.deepEqual(sink.labels, ['snapshot a-1', 'snapshot a-3']);
});

test('who waits for the first state gets a snapshot, whatever it claims to have', () => {
  for (const cursors of [[], ['a-1'], ['a-1~stale']]) {
    const channel = new Channel('c', { maxEvents: 4, maxBytes: 10_000 });
    const { sink } = join(channel, ...cursors);
    channel.apply(changed(2));
    assert.equal(sink.labels[0], 'snapshot a-2');
  }
});

test('a reader that missed one change gets the difference, one that missed more a snapshot', () => {
  const channel = channelOf(1);
  const { sink, subscriber } = join(channel, 'a-1');
  sink.fill();
  channel.apply(changed(2));
  channel.apply(changed(3));
  sink.drain(subscriber);
  sink.fill();
  channel.apply(changed(4));
  channel.apply(changed(5));
  channel.apply(changed(6));
  sink.drain(subscriber);
  channel.apply(changed(7));
  const labels = ['patch a-2', 'patch a-3', 'patch a-4', 'snapshot a-6', 'patch a-7'];
  assert.deepEqual(sink.labels, labels);
});

test('state that is confirmed after a rest counts as what the client has', () => {
  const channel = channelOf(2);
  channel.rest();
  const [newest, older, none] = [join(channel, 'a-2'), join(channel, 'a-1'), join(channel)];
  channel.confirm();
  channel.apply(changed(3));
  assert.deepEqual(newest.sink.labels, ['patch a-3']);
  assert.deepEqual(older.sink.labels, ['patch a-2', 'patch a-3']);
  assert.deepEqual(none.sink.labels, ['snapshot a-2', 'patch a-3']);
});

test('who was told of a failure first still has what its cursor says', () => {
  const channel = channelOf(2);
  channel.rest();
  const [newest, older] = [join(channel, 'a-2'), join(channel, 'a-1')];
  channel.apply(controlEvent('stale', '~stale', {}));
  channel.confirm();
  channel.apply(changed(3));
  assert.deepEqual(newest.sink.labels, ['stale ~stale', 'patch a-3']);
  assert.deepEqual(older.sink.labels, ['stale ~stale', 'patch a-2', 'patch a-3']);
});

test('a failure in between does not cost the difference', () => {
  const channel = channelOf(1);
  const { sink } = join(channel, 'a-1');
  channel.apply(controlEvent('stale', 'a-1~stale', {}));
  channel.apply(changed(2));
  channel.apply(controlEvent('fresh', 'a-2', {}));
  assert.deepEqual(sink.labels, ['stale a-1~stale', 'patch a-2', 'fresh a-2']);
  assert.deepEqual(join(channel, 'a-1~stale').sink.labels, ['patch a-2', 'fresh a-2']);
});

/** What can happen to a channel and the two peers that it has. */
const step = fc.oneof(
  fc.record({ kind: fc.constantFrom('change', 'skip', 'plain', 'stale', 'fresh') }),
  fc.record({ kind: fc.constantFrom('fill', 'drain'), who: fc.nat(1) }),
  fc.record({ kind: fc.constant('join'), who: fc.nat(1), cursor: fc.nat(12) }),
);

test('whatever happens, a difference is told only to who has the state that it changes', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const channel = channelOf(1);
      let seq = 1;
      const peers: { sink: RecordingSink; subscriber: Subscriber; has: string | undefined }[] = [];
      const enter = (cursor: number) => ({ ...join(channel, `a-${cursor}`), has: `a-${cursor}` });
      peers.push(enter(0), enter(1));
      for (const what of steps) {
        const peer = 'who' in what ? peers[what.who] : undefined;
        if (what.kind === 'change' || what.kind === 'plain') seq += 1;
        if (what.kind === 'skip') seq += 2;
        if (what.kind === 'change' || what.kind === 'skip') channel.apply(changed(seq));
        else if (what.kind === 'plain') channel.apply(snapshot(`a-${seq}`));
        else if (what.kind === 'fill') peer?.sink.fill();
        else if (what.kind === 'drain') peer?.sink.drain(peer.subscriber);
        else if (what.kind !== 'join') channel.apply(controlEvent(what.kind as 'stale', 'a', {}));
        else if (peer && 'cursor' in what) {
          channel.unsubscribe(peer.subscriber);
          peers[what.who] = enter(what.cursor);
        }
        for (const one of peers) one.has = lastState(one.sink, one.has);
      }
      for (const { sink, subscriber, has } of peers) {
        sink.drain(subscriber);
        sink.drain(subscriber);
        assert.equal(lastState(sink, has), `a-${seq}`, 'who has drained has the newest state');
      }
    }),
    { numRuns: 500 },
  );
});

/** The state that a peer has after what it received; a difference must be to the one before. */
function lastState({ events }: RecordingSink, has: string | undefined): string | undefined {
  let state = has;
  for (const { type, id, data } of events.splice(0)) {
    if (type === 'patch') assert.equal(Buffer.from(data).toString(), `"from ${state}"`);
    if (type === 'patch' || type === 'snapshot') state = id;
  }
  return state;
}
