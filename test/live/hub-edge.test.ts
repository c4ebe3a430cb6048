import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeEvent } from '../../src/cluster/event-codec.ts';
import type { EdgeMessage } from '../../src/live/hub-messages.ts';
import { staleId } from '../../src/protocol/cursor.ts';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { ProxyError } from '../../src/shared/errors.ts';
import { snapshot } from '../protocol/events.ts';
import { afterTurn, CLIENT, hubEdgeScene } from './hub-edge-scene.ts';

const stale = (id: string) => controlEvent('stale', staleId(id), { code: 'UPSTREAM_RESET' });
const unauthorized = () => controlEvent('unauthorized', undefined, { status: 401 });
const request = { method: 'POST', path: '/x', segments: ['x'] };
const bytesOf = (event: ChannelEvent) => Buffer.concat(encodeEvent(event));

test('an edge that opens a channel is told all that it is, and then what happens', async () => {
  const { told, open, feedOf, asked } = hubEdgeScene();
  const { channel } = feedOf('/x');
  for (const id of ['a-1', 'a-2']) channel.apply(snapshot(id));
  open(7);
  assert.deepEqual(told, ['sync 7: snapshot a-1, snapshot a-2']);
  channel.apply(snapshot('a-3'));
  channel.rest();
  channel.confirm();
  assert.deepEqual(await afterTurn(told), [
    'sync 7: snapshot a-1, snapshot a-2',
    'apply 7: snapshot a-3',
    'rest 7',
    'apply 7: snapshot a-3',
  ]);
  assert.deepEqual(asked[0]?.client, CLIENT);
  assert.equal(asked[0]?.wanted.target, '/x');
});

test('all that a channel is goes along: where its log begins, that it is stale, its last word', () => {
  const { told, open, feedOf } = hubEdgeScene();
  const ids = Array.from({ length: 12 }, (_, i) => `a-${i + 1}`);
  for (const id of ids) feedOf('/long').channel.apply(snapshot(id));
  feedOf('/stale').channel.apply(snapshot('a-1'));
  feedOf('/stale').channel.apply(stale('a-1'));
  feedOf('/ended').channel.apply(unauthorized());
  feedOf('/resting').channel.apply(snapshot('a-1'));
  feedOf('/resting').channel.rest();
  for (const [i, url] of ['/x', '/long', '/stale', '/ended', '/resting'].entries()) open(i, url);
  assert.deepEqual(told, [
    'sync 0 unconfirmed: ',
    `sync 1 after a-2: ${ids
      .slice(2)
      .map((id) => `snapshot ${id}`)
      .join(', ')}`,
    'sync 2: snapshot a-1, stale a-1~stale',
    'sync 3 unconfirmed: unauthorized',
    'sync 4 unconfirmed: snapshot a-1',
  ]);
});

test('what several channels show alike is sent once', async () => {
  const { told, open, feedOf } = hubEdgeScene();
  for (const [ref, url] of ['/a', '/b', '/c'].entries()) open(ref, url);
  told.length = 0;
  const event = snapshot('a-1');
  for (const url of ['/a', '/b', '/c']) feedOf(url).channel.apply(event);
  assert.deepEqual(await afterTurn(told), ['apply 0 1 2: snapshot a-1']);
});

test('what happened before something is said is told before it', async () => {
  const { told, open, say } = hubEdgeScene();
  const { channel } = open(1);
  channel.apply(snapshot('a-1'));
  open(2);
  assert.deepEqual(told.splice(0).slice(1), ['apply 1: snapshot a-1', 'sync 2: snapshot a-1']);
  channel.apply(snapshot('a-2'));
  say({ kind: 'refresh', ref: 1, call: 9 });
  assert.deepEqual(await afterTurn(told), ['apply 1 2: snapshot a-2', 'refreshed']);
});

test('a hub that has begun anew takes over the state that an edge knows, and shows it to nobody', async () => {
  const { told, open } = hubEdgeScene();
  const { channel } = open(1, '/x', bytesOf(snapshot('a-7')));
  assert.equal(channel.retained?.id, 'a-7');
  assert.equal(channel.snapshot, undefined);
  channel.confirm();
  assert.deepEqual(await afterTurn(told), [
    'sync 1 unconfirmed: snapshot a-7',
    'apply 1: snapshot a-7',
  ]);
});

test('what an edge knows does not take the place of what the hub knows', () => {
  const { told, open, feedOf } = hubEdgeScene();
  feedOf('/x').channel.apply(snapshot('b-1'));
  const { channel } = open(1, '/x', bytesOf(snapshot('a-7')));
  assert.equal(channel.snapshot?.id, 'b-1');
  assert.deepEqual(told, ['sync 1: snapshot b-1']);
});

test('an edge that knew nothing gets the state that the hub has from another one', async () => {
  const { told, open } = hubEdgeScene();
  open(1);
  const { channel } = open(2, '/x', bytesOf(snapshot('a-7')));
  told.length = 0;
  channel.confirm();
  assert.deepEqual(await afterTurn(told), ['apply 1 2: snapshot a-7']);
});

const REFUSALS: readonly (readonly [string, Error, string])[] = [
  ['by a limit', new ProxyError('TOO_MANY_CHANNELS'), 'TOO_MANY_CHANNELS'],
  [
    'of its address',
    new ProxyError('TOO_MANY_CHANNELS_FOR_ADDRESS'),
    'TOO_MANY_CHANNELS_FOR_ADDRESS',
  ],
  ['by a failure', new Error('the inside of it'), 'INTERNAL'],
];

for (const [name, error, code] of REFUSALS) {
  test(`what is refused ${name} is told with the code, and does not stay open`, async () => {
    const { told, messages, open, say, refuse } = hubEdgeScene();
    const { channel } = open(1);
    refuse(error);
    told.length = 0;
    open(1);
    assert.deepEqual(told, [`refused 1: ${code}`]);
    assert.equal(JSON.stringify(messages).includes('inside'), false);
    channel.apply(snapshot('a-1'));
    say({ kind: 'join', ref: 1 });
    assert.equal((await afterTurn(told)).length, 1, 'of the channel it is told nothing');
    refuse(undefined);
    open(1);
    assert.deepEqual(told, ['sync 1: snapshot a-1']);
  });
}

test('what no endpoint of the hub means is refused as not live', () => {
  const { told, open, asked } = hubEdgeScene();
  open(1, '/x', undefined, '/unknown');
  assert.deepEqual(told, ['refused 1: NOT_LIVE']);
  assert.equal(asked.length, 0);
});

test('streams of an edge are joined and left, and those of unknown channels are nobody’s', () => {
  const { open, say } = hubEdgeScene();
  const feed = open(1);
  say({ kind: 'leave', ref: 1 });
  assert.equal(feed.streamCount, 0, 'it had none');
  say({ kind: 'join', ref: 1 });
  say({ kind: 'join', ref: 2 });
  assert.equal(feed.streamCount, 1);
  say({ kind: 'leave', ref: 1 });
  say({ kind: 'leave', ref: 1 });
  assert.equal(feed.streamCount, 0);
});

test('what an edge has closed is left, and it is told nothing more of it', async () => {
  const { told, open, say } = hubEdgeScene();
  const feed = open(1);
  say({ kind: 'join', ref: 1 });
  feed.channel.apply(snapshot('a-1'));
  say({ kind: 'close', ref: 1 });
  feed.channel.apply(snapshot('a-2'));
  feed.settle();
  feed.close();
  assert.equal(feed.streamCount, 0);
  assert.deepEqual(await afterTurn(told), ['sync 1 unconfirmed: ']);
});

test('what is opened again under the same number is left first, and told once', async () => {
  const { told, open, say } = hubEdgeScene();
  const feed = open(1);
  say({ kind: 'join', ref: 1 });
  open(1);
  assert.equal(feed.streamCount, 0);
  say({ kind: 'join', ref: 1 });
  assert.equal(feed.streamCount, 1);
  told.length = 0;
  feed.channel.apply(snapshot('a-1'));
  feed.settle();
  assert.deepEqual(await afterTurn(told), ['apply 1: snapshot a-1', 'settled 1']);
});

test('that the first poll has ended is told, and that the feed has closed after its last word', async () => {
  const { told, open, say } = hubEdgeScene();
  const feed = open(1);
  say({ kind: 'join', ref: 1 });
  told.length = 0;
  feed.settle();
  assert.deepEqual(await afterTurn(told), ['settled 1']);
  feed.channel.apply(unauthorized());
  feed.close();
  assert.deepEqual(await afterTurn(told), ['apply 1: unauthorized', 'closed 1']);
  say({ kind: 'join', ref: 1 });
  assert.equal(feed.streamCount, 0, 'it is not open any more');
});

test('a state that an edge asks for is named, with its age, and not sent again', async () => {
  const { clock, messages, bodies, open, say } = hubEdgeScene();
  const { channel } = open(1);
  channel.apply(snapshot('a-1'));
  await clock.advance(5_000);
  channel.lastPoll = { at: 4_000, asOf: 3_500 };
  say({ kind: 'refresh', ref: 1, call: 4 });
  await clock.advance(0);
  assert.deepEqual(messages.at(-1), { kind: 'refreshed', call: 4, id: 'a-1', ageMs: 1_500 });
  assert.equal(bodies.at(-1)?.length, 0);
});

test('a state that the channel itself does not show is sent with the answer', async () => {
  const { messages, bodies, open, say } = hubEdgeScene();
  const feed = open(1);
  const event = snapshot('a-1');
  feed.onRefresh = () => Promise.resolve(event);
  say({ kind: 'refresh', ref: 1, call: 4 });
  await afterTurn([]);
  assert.deepEqual(messages.at(-1), { kind: 'refreshed', call: 4, id: 'a-1' });
  assert.deepEqual(bodies.at(-1), bytesOf(event));
});

test('a state that cannot be had is answered for without one', async () => {
  const { messages, find, open, say } = hubEdgeScene();
  const failing = open(1, '/fails');
  failing.onRefresh = () => Promise.reject(new Error('broken'));
  open(2, '/unknown');
  const personal = open(3, '/personal');
  personal.channel.apply(snapshot('a-1'));
  find('/personal', true);
  open(3, '/personal');
  for (const ref of [1, 2, 3, 99]) {
    say({ kind: 'refresh', ref, call: ref });
    await afterTurn([]);
    assert.deepEqual(messages.at(-1), { kind: 'refreshed', call: ref });
  }
});

test('a write is begun and ended as the edge says', () => {
  const { say, writes } = hubEdgeScene();
  say({ kind: 'beginWrite', call: 1, request });
  say({ kind: 'beginWrite', call: 2, request });
  assert.deepEqual(writes, [request, request]);
  say({ kind: 'endWrite', call: 2, hasChanged: false });
  say({ kind: 'endWrite', call: 1, hasChanged: true });
  say({ kind: 'endWrite', call: 1, hasChanged: true });
  assert.deepEqual(writes.slice(2), [false, true]);
});

test('of an edge that is gone nothing stays: no stream, no replica, and its writes may have changed something', async () => {
  const scene = hubEdgeScene();
  const { edge, told, open, say, writes } = scene;
  const feeds = [open(1, '/a'), open(2, '/b')];
  for (const ref of [1, 1, 2]) say({ kind: 'join', ref });
  for (const call of [1, 2]) say({ kind: 'beginWrite', call, request });
  say({ kind: 'endWrite', call: 1, hasChanged: false });
  told.length = 0;
  edge.onClose();
  assert.deepEqual(
    feeds.map(({ streamCount }) => streamCount),
    [0, 0],
  );
  assert.deepEqual(writes.slice(2), [false, true]);
  assert.equal(scene.closes, 1);
  for (const feed of feeds) {
    feed.channel.apply(snapshot('a-1'));
    feed.settle();
    feed.close();
  }
  edge.onDrain();
  assert.deepEqual(await afterTurn(told), []);
});

test('what is for all edges, and what was asked, goes to whoever it is for', () => {
  const { say, shared, answers } = hubEdgeScene();
  const messages: EdgeMessage[] = [
    { kind: 'pageLoad', client: 'c' },
    { kind: 'logout', client: { downstream: CLIENT.downstream, rawHeaders: [] }, status: 200 },
  ];
  for (const message of messages) say(message);
  assert.deepEqual(shared, messages);
  say({ kind: 'answer', call: 3, value: { subscribers: { abc: { sse: 1 } } } });
  assert.deepEqual(answers, [[3, { subscribers: { abc: { sse: 1 } } }]]);
});
