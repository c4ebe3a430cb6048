import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import { openEventStream } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { scriptSite } from './script-site.ts';
import { openEnvelopes } from './socket-client.ts';

/*
 * A script must be able to see that the way is open, that nothing on it buffers, and that it still is.
 */

const PUBLIC = { vary: [], every: '1h' };

test('sse: the first beat comes before the state, the second half a second later', async (t) => {
  const clock = createFakeClock();
  const { proxy } = await scriptSite(t, PUBLIC, {}, clock);
  const stream = await openEventStream(t, `${proxy.url}/_comet/sse?url=/state&beat=1`);
  assert.equal((await stream.next()).event, 'beat');
  assert.equal((await stream.next()).event, undefined);
  await clock.advance(499);
  await clock.advance(1);
  assert.deepEqual(await stream.next(), { id: undefined, event: 'beat', data: '' });
  await clock.advance(15_000);
  assert.equal((await stream.next()).event, 'beat');
  assert.equal(stream.items.length, 4);
});

test('stream: an empty line is there at once, another one half a second later', async (t) => {
  const clock = createFakeClock();
  const { proxy } = await scriptSite(t, PUBLIC, {}, clock);
  const answer = await fetch(`${proxy.url}/_comet/stream?url=/state&beat=1`);
  const text = { value: '' };
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  const read = async () => {
    for (;;) {
      const { done, value = '' } = (await reader?.read()) ?? { done: true };
      if (done) return;
      text.value += value;
    }
  };
  read().catch(() => undefined);
  await until(() => /^\n\{.*\}\n$/.test(text.value));
  await clock.advance(500);
  await until(() => /^\n\{.*\}\n\n$/.test(text.value));
  await reader?.cancel();
});

test('ws: beats are messages', async (t) => {
  const clock = createFakeClock();
  const { proxy } = await scriptSite(t, PUBLIC, {}, clock);
  const socket = await openEnvelopes(t, proxy.url, '?url=/state&beat=1&form=answer');
  assert.deepEqual(await socket.next(), { event: 'beat' });
  assert.equal((await socket.next()).data, '{"n":1}');
  await clock.advance(500);
  assert.deepEqual(await socket.next(), { event: 'beat' });
});

test('without the parameter nothing is seen of them', async (t) => {
  const clock = createFakeClock();
  const { proxy } = await scriptSite(t, PUBLIC, {}, clock);
  const stream = await openEventStream(t, `${proxy.url}/_comet/sse?url=/state`);
  await stream.next();
  const socket = await openEnvelopes(t, proxy.url, '?url=/state');
  await socket.next();
  await clock.advance(15_000);
  assert.equal(stream.items.length, 1);
  assert.equal(socket.items.length, 1);
});
