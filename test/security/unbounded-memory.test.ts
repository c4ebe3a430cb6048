import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startStates } from '../flow/states-site.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { openLines } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { MIB, startSized } from './memory-scene.ts';

/*
 * By its queries a client decides how many states there are and how large: together they take up no
 * more than `limits.bufferedBytes`, and what has a place keeps it.
 */

const THIRD = 'bytes=400000';

test('a state for which there is no room is stale, and those that are there go on', async (t) => {
  const { open, change, site, proxy, clock, warnings } = await startSized(t, {
    bufferedBytes: '1MiB',
  });
  const first = await open(`n=1&${THIRD}`);
  assert.equal(await first.next(), 'snapshot 1');
  const second = await open(`n=2&${THIRD}`);
  assert.equal(await second.next(), 'snapshot 1');
  const third = await open(`n=3&${THIRD}`);
  assert.equal(await third.next(), 'stale NO_ROOM');
  assert.ok(warnings().includes('limits.bufferedBytes is reached'));
  await change();
  for (const stream of [first, second]) assert.equal(await stream.next(), 'snapshot 2');
  const small = await open('n=4&bytes=10');
  assert.equal(await small.next(), 'snapshot 2', 'a small one has room still');

  const asked = site.requests.length;
  const plain = await fetch(`${proxy.url}/x?n=3&${THIRD}`);
  assert.equal(((await plain.json()) as { version: number }).version, 2);
  assert.equal(site.requests.length, asked + 1, 'it was passed through');

  first.close();
  await until(() => proxy.streamCount === 3);
  await clock.advance(5_000);
  await change();
  assert.equal(await second.next(), 'snapshot 3');
  assert.equal(await third.next(), 'snapshot 3');
  assert.equal(await third.next(), 'fresh');
});

test('a state that grows beyond the room is not taken, and then compared with what is known', async (t) => {
  let size = 1_000;
  const clock = createFakeClock();
  const site = await startStates(t, {});
  // It has validators: a state that was not taken must not be taken for known.
  site.set('/x', ({ headers }) => {
    const etag = `"${size}"`;
    if (headers['if-none-match'] === etag) return { status: 304, headers: { etag } };
    return { headers: { etag }, body: JSON.stringify('x'.repeat(size)) };
  });
  const live = { '/x': { every: '10s', timeout: '1h', vary: [] } };
  const limits = { bufferedBytes: '100KiB' };
  const proxy = await startTestProxy(t, { site: site.url, live, limits }, clock);
  const stream = await openLines(t, `${proxy.url}/_comet/stream?url=/x`);
  assert.equal((await stream.next())['event'], 'snapshot');
  size = 200_000;
  await clock.advance(11_000);
  assert.deepEqual((await stream.next())['data'], { code: 'NO_ROOM' });
  for (const polls of [3, 4]) {
    await clock.advance(60_000);
    await until(() => site.polls('/x') >= polls);
  }
  assert.equal(stream.items.length, 2, 'it is not said to be fresh');
  size = 2_000;
  await clock.advance(120_000);
  assert.equal((await stream.next())['data'], 'x'.repeat(2_000));
  assert.equal((await stream.next())['event'], 'fresh');
});

test('while unread events take the room new streams are refused, and open ones go on', async (t) => {
  const { open, drink, stall, surface, proxy, clock, site } = await startSized(
    t,
    { bufferedBytes: '34MiB' },
    { history: 0 },
  );
  const big = `bytes=${16 * MIB}`;
  const reader = await drink(big);
  await until(() => reader.states === 1);
  const slow = await stall(big);
  const refused = await surface('n=1');
  assert.equal(refused.status, 503);
  assert.match(await refused.text(), /^NO_ROOM: /);
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
  const inBand = await surface('n=1', 'sse');
  assert.match(await inBand.text(), /^:NO_ROOM\nretry: \d+\n/);
  const asked = site.requests.length;
  assert.equal((await fetch(`${proxy.url}/x?${big}`)).status, 200, 'absorbed');
  assert.equal(site.requests.length, asked);
  assert.equal((await fetch(`${proxy.url}/x?n=2`)).status, 200, 'passed through');
  assert.equal(site.requests.length, asked + 1);
  assert.equal(proxy.streamCount, 2, 'nobody was cut');

  slow.socket.resume();
  await until(() => slow.received.length > 16 * MIB);
  await clock.advance(1_000);
  const welcome = await open('n=1');
  assert.equal(await welcome.next(), 'snapshot 1');
});

for (const transport of ['stream', 'ws', 'poll']) {
  test(`what waits for a reader by ${transport} is counted until that has left`, async (t) => {
    const limits = { bufferedBytes: '34MiB' };
    const { drink, stall, surface, clock } = await startSized(t, limits, { history: 0 });
    const big = `bytes=${16 * MIB}`;
    const reader = await drink(big);
    await until(() => reader.states === 1);
    const slow = await stall(big, transport);
    assert.equal((await surface('n=1')).status, 503);
    slow.reset();
    let status = 503;
    while (status === 503) {
      await clock.advance(1_000);
      const answer = await surface('n=1', 'poll');
      await answer.arrayBuffer();
      status = answer.status;
    }
    assert.equal(status, 200);
  });
}
