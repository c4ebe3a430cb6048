import assert from 'node:assert/strict';
import { test } from 'node:test';
import { staleId } from '../../src/protocol/cursor.ts';
import { controlEvent } from '../../src/protocol/event.ts';
import { snapshot } from '../protocol/events.ts';
import { afterTurn, hubEdgeScene } from './hub-edge-scene.ts';

const stale = (id: string) => controlEvent('stale', staleId(id), { code: 'UPSTREAM_RESET' });
const unauthorized = () => controlEvent('unauthorized', undefined, { status: 401 });

test('an edge that reads too slowly is told the newest state alone once it has read', async () => {
  const { edge, told, open, socket } = hubEdgeScene();
  const { channel } = open(1);
  const other = open(2, '/other');
  told.length = 0;
  socket.isCrowded = true;
  for (const id of ['a-1', 'a-2', 'a-3']) {
    channel.apply(snapshot(id));
    assert.deepEqual(await afterTurn(told), []);
  }
  socket.isCrowded = false;
  channel.apply(snapshot('a-4'));
  other.channel.apply(snapshot('b-1'));
  assert.deepEqual(await afterTurn(told), ['apply 2: snapshot b-1'], 'it has not said so yet');
  edge.onDrain();
  assert.deepEqual(told.splice(0), ['sync 1: snapshot a-4']);
  channel.apply(snapshot('a-5'));
  assert.deepEqual(await afterTurn(told), ['apply 1: snapshot a-5']);
  edge.onDrain();
  assert.deepEqual(told, [], 'it is behind with nothing');
});

test('an edge that was behind is not told that it has all since the beginning of the log', async () => {
  const { edge, told, open, socket } = hubEdgeScene();
  const { channel } = open(1);
  socket.isCrowded = true;
  for (let seq = 1; seq <= 12; seq++) channel.apply(snapshot(`a-${seq}`));
  assert.ok(channel.image.history.start);
  await afterTurn(told);
  edge.onDrain();
  assert.deepEqual(told, ['sync 1: snapshot a-12']);
});

test('an edge that was behind learns that the site fails, and that it works again', async () => {
  const { edge, told, open, socket } = hubEdgeScene();
  const { channel } = open(1);
  socket.isCrowded = true;
  channel.apply(snapshot('a-1'));
  channel.apply(stale('a-1'));
  await afterTurn(told);
  edge.onDrain();
  assert.deepEqual(told.splice(0), ['sync 1: snapshot a-1, stale a-1~stale']);
  channel.apply(controlEvent('fresh', 'a-1', {}));
  await afterTurn(told);
  edge.onDrain();
  assert.deepEqual(told, ['sync 1: snapshot a-1']);
});

test('a last word is told to an edge that reads too slowly, at once', async () => {
  const { told, open, socket } = hubEdgeScene();
  const feed = open(1);
  told.length = 0;
  socket.isCrowded = true;
  feed.channel.apply(snapshot('a-1'));
  await afterTurn(told);
  feed.channel.apply(unauthorized());
  feed.close();
  assert.deepEqual(await afterTurn(told), ['apply 1: unauthorized', 'closed 1']);
});

test('what nobody may be shown for now is told to an edge that reads too slowly, at once', async () => {
  const { edge, told, open, socket } = hubEdgeScene();
  const { channel } = open(1);
  told.length = 0;
  socket.isCrowded = true;
  channel.apply(snapshot('a-1'));
  await afterTurn(told);
  channel.rest();
  assert.deepEqual(await afterTurn(told), ['rest 1']);
  channel.apply(snapshot('a-2'));
  assert.deepEqual(await afterTurn(told), []);
  edge.onDrain();
  assert.deepEqual(told, ['sync 1: snapshot a-2']);
});

test('what was closed while an edge was behind is not told of again', async () => {
  const { edge, told, open, say, socket } = hubEdgeScene();
  const { channel } = open(1);
  socket.isCrowded = true;
  channel.apply(snapshot('a-1'));
  await afterTurn(told);
  say({ kind: 'close', ref: 1 });
  edge.onDrain();
  assert.deepEqual(await afterTurn(told), []);
});

test('what is opened again while an edge was behind is up to date with that', async () => {
  const { edge, told, open, socket } = hubEdgeScene();
  const { channel } = open(1);
  socket.isCrowded = true;
  channel.apply(snapshot('a-1'));
  await afterTurn(told);
  open(1);
  assert.deepEqual(told.splice(0), ['sync 1: snapshot a-1']);
  edge.onDrain();
  assert.deepEqual(told, []);
});
