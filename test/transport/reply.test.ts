import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonp } from '../../src/transport/jsonp.ts';
import { poll } from '../../src/transport/poll.ts';
import { jsonSnapshot, snapshot } from '../protocol/events.ts';
import { get, readAnswer } from '../support/raw-answer.ts';
import { until } from '../support/until.ts';
import { openReply, WAIT_MS } from './raw-reply.ts';
import { runScript } from './script-page.ts';

const EMPTY = '{"events":[]}';
const ONE = jsonSnapshot('a-1', '1');
const TWO = jsonSnapshot('b-1', '2');

/** URL and data of the events in a body. */
function events(body: string): unknown[] {
  const parsed = JSON.parse(body) as { events: { url?: string; data: unknown }[] };
  return parsed.events.map(({ url, data }) => [url, data]);
}

test('all that happens in one turn is one answer, of several URLs too', async (t) => {
  const { reply, answer, closed, clock } = await openReply(t, poll);
  assert.equal(reply.send([ONE], '/x'), true);
  assert.equal(reply.isWritable, true);
  assert.equal(reply.send([TWO, snapshot('b-2', 'text')], '/y'), true);
  const { body, isWhole } = await answer();
  assert.ok(isWhole);
  assert.deepEqual(events(body), [
    ['/x', 1],
    ['/y', 2],
    ['/y', 'text'],
  ]);
  assert.equal(closed(), 1);
  assert.equal(clock.pending, 0);
});

test('what happens after the answer is taken no more', async (t) => {
  const { reply, answer, closed } = await openReply(t, poll);
  reply.send([ONE], '/x');
  await until(() => !reply.isWritable);
  assert.equal(reply.send([TWO], '/x'), false);
  reply.end(1_000);
  assert.deepEqual(events((await answer()).body), [['/x', 1]]);
  assert.equal(closed(), 1);
});

test('an answer has a length and is stored, transformed, buffered and sniffed by nobody', async (t) => {
  const { reply, answer } = await openReply(t, poll);
  reply.send([snapshot('a-1', 'é☃')], '/x');
  const read = await answer();
  assert.equal(read.status, 200);
  assert.deepEqual(read.values('content-length'), [String(read.body.length)]); // latin1: bytes
  assert.deepEqual(events(Buffer.from(read.body, 'latin1').toString()), [['/x', 'é☃']]);
  assert.equal(read.rest, '');
  assert.deepEqual(read.values('transfer-encoding'), []);
  for (const [name, value] of [
    ['content-type', 'application/json; charset=utf-8'],
    ['cache-control', 'no-store, no-transform'],
    ['x-content-type-options', 'nosniff'],
    ['x-accel-buffering', 'no'],
    ['incremental', '?1'],
    ['x-more', 'yes'],
  ] as const) {
    assert.deepEqual(read.values(name), [value]);
  }
});

test('with nothing to say the answer comes, empty, at the end of the wait', async (t) => {
  const { answer, settle, clock, peer, closed } = await openReply(t, poll);
  settle();
  await clock.advance(WAIT_MS - 1);
  assert.equal(closed(), 0);
  assert.equal(peer.received, '');
  await clock.advance(1);
  assert.equal((await answer()).body, EMPTY);
  assert.equal(closed(), 1);
});

test('the wait is counted from when the first poll of the site has ended', async (t) => {
  const { answer, settle, clock, closed } = await openReply(t, poll);
  await clock.advance(10 * WAIT_MS);
  assert.equal(closed(), 0);
  settle();
  await clock.advance(WAIT_MS - 1);
  assert.equal(closed(), 0);
  await clock.advance(1);
  assert.equal((await answer()).body, EMPTY);
});

test('an event during the wait is answered at once and leaves no timer', async (t) => {
  const { reply, answer, settle, clock, closed } = await openReply(t, poll);
  settle();
  await clock.advance(WAIT_MS - 1);
  reply.send([ONE], '/x');
  assert.deepEqual(events((await answer()).body), [['/x', 1]]);
  assert.equal(clock.pending, 0);
  await clock.advance(WAIT_MS);
  assert.equal(closed(), 1);
});

test('an end may ask the client to come back after a time, behind what was there already', async (t) => {
  const { reply, answer } = await openReply(t, poll);
  reply.send([ONE], '/x');
  reply.end(1_234.5);
  const { body } = await answer();
  assert.deepEqual(events(body), [
    ['/x', 1],
    [undefined, { retryMs: 1_235 }],
  ]);
});

test('an end without a time is an answer without events', async (t) => {
  const { reply, answer, closed } = await openReply(t, poll);
  reply.end();
  reply.end(1_000);
  assert.equal((await answer()).body, EMPTY);
  assert.equal(closed(), 1);
});

for (const isSettled of [true, false]) {
  const when = isSettled ? 'during the wait' : 'before the state is known';
  test(`a client that leaves ${when} is noticed, once, and leaves no timer`, async (t) => {
    const { reply, peer, settle, clock, closed } = await openReply(t, poll);
    if (isSettled) settle();
    await clock.advance(1);
    peer.socket.destroy();
    await until(() => closed() === 1);
    settle();
    await clock.advance(1);
    assert.equal(clock.pending, 0);
    assert.equal(reply.isWritable, false);
    assert.equal(reply.send([ONE], '/x'), false);
    reply.end(1_000);
    await clock.advance(WAIT_MS);
    assert.equal(closed(), 1);
  });
}

test('the connection can be used again after an answer', async (t) => {
  const { reply, peer, answer } = await openReply(t, poll);
  reply.end();
  const { length } = (await answer()) && peer.received;
  peer.send(get('/again'));
  assert.equal((await readAnswer(peer, { from: length })).body, 'again');
});

test('an answer by JSONP calls the function with the same events', async (t) => {
  const { reply, answer } = await openReply(t, jsonp);
  reply.send([ONE], '/x');
  reply.end(1_000);
  const { body, values } = await answer();
  assert.deepEqual(values('content-length'), [String(body.length)]);
  assert.deepEqual(values('x-content-type-options'), ['nosniff']);
  assert.deepEqual(runScript(body, 'got'), [
    {
      events: [
        { url: '/x', id: 'a-1', event: 'snapshot', data: 1 },
        { event: 'retry', data: { retryMs: 1_000 } },
      ],
    },
  ]);
});

test('a client that does not read its answer does not keep the connection', async (t) => {
  const { reply, peer, serverSockets } = await openReply(t, poll, 200);
  peer.socket.pause();
  const large = snapshot('a-1', 'x'.repeat(1_000_000));
  for (let i = 0; i < 30; i++) reply.send([large], '/x');
  await until(() => serverSockets.size === 0);
});
