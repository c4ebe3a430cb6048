import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Replica } from '../../src/channel/channel.ts';
import { Channel } from '../../src/channel/channel.ts';
import { staleId } from '../../src/protocol/cursor.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { label, snapshot } from '../protocol/events.ts';
import { subscribe } from './recording-sink.ts';

/** A channel that has got snapshots of these ids. */
function channelOf(...ids: string[]): Channel {
  const channel = new Channel('c', { maxEvents: 4, maxBytes: 1_000 });
  for (const id of ids) channel.apply(snapshot(id));
  return channel;
}

const stale = (id?: string) => controlEvent('stale', staleId(id), { code: 'UPSTREAM_STATUS' });
const fresh = (id?: string) => controlEvent('fresh', id, {});
const unauthorized = () => controlEvent('unauthorized', undefined, { status: 401 });

/** What a channel tells a replica, in short. */
function recordingReplica() {
  const calls: string[] = [];
  const replica: Replica = {
    apply: (event) => calls.push(label(event)),
    rest: () => calls.push('rest'),
  };
  return { calls, replica };
}

test('a replica goes along with everything until it is stopped, and with nothing before', () => {
  const channel = channelOf('a-1');
  const { calls, replica } = recordingReplica();
  const stop = channel.replicate(replica);
  assert.deepEqual(calls, [], 'what was is in the image');
  channel.apply(snapshot('a-2'));
  channel.apply(snapshot('a-2'));
  channel.apply(stale('a-2'));
  channel.apply(fresh('a-2'));
  channel.rest();
  channel.confirm();
  channel.confirm();
  const expected = ['snapshot a-2', 'stale a-2~stale', 'fresh a-2', 'rest', 'snapshot a-2'];
  assert.deepEqual(calls, expected);
  stop();
  channel.apply(snapshot('a-3'));
  channel.rest();
  channel.confirm();
  channel.apply(unauthorized());
  assert.deepEqual(calls, expected);
});

test('a replica hears a last word, and nothing after it', () => {
  const channel = channelOf('a-1');
  const { calls, replica } = recordingReplica();
  channel.replicate(replica);
  channel.apply(unauthorized());
  channel.apply(snapshot('a-2'));
  channel.confirm();
  assert.deepEqual(calls, ['unauthorized']);
});

test('every replica goes along, and one that stops takes no other with it', () => {
  const channel = channelOf();
  const [first, second] = [recordingReplica(), recordingReplica()];
  const stop = channel.replicate(first.replica);
  channel.replicate(second.replica);
  channel.apply(snapshot('a-1'));
  stop();
  channel.apply(snapshot('a-2'));
  assert.deepEqual(first.calls, ['snapshot a-1']);
  assert.deepEqual(second.calls, ['snapshot a-1', 'snapshot a-2']);
});

test('a replica that was there before a state was restored has it once it is confirmed', () => {
  const channel = channelOf();
  const replica = channelOf();
  channel.replicate(replica);
  channel.restore({ start: undefined, events: [snapshot('a-7')] });
  const { sink } = subscribe(replica);
  channel.confirm();
  assert.deepEqual(sink.labels, ['snapshot a-7']);
});
