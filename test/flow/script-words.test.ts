import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import { openEventStream } from '../support/stream-client.ts';
import { scriptSite } from './script-site.ts';
import { openEnvelopes } from './socket-client.ts';

/*
 * What only the browser script is told, which takes a state for what the site would answer only
 * when it knows that it is.
 */

const PUBLIC = { vary: [], every: '1h' };

/** The id of the state, after a first poll. */
async function stateId(url: string): Promise<string> {
  const answer = await fetch(`${url}/_comet/poll?url=/state`);
  const { events } = (await answer.json()) as { events: { id: string }[] };
  return events[0]?.id ?? '';
}

test('with form=answer who has the newest state is told that it is current', async (t) => {
  const { proxy } = await scriptSite(t, PUBLIC, {}, createFakeClock());
  const id = await stateId(proxy.url);
  const query = `url=/state&since=${id}&form=answer`;
  const told = { url: '/state', id, event: 'fresh', data: {} };
  const sse = await openEventStream(t, `${proxy.url}/_comet/sse?${query}`);
  assert.deepEqual(JSON.parse((await sse.next()).data), told);
  const socket = await openEnvelopes(t, proxy.url, `?${query}`);
  assert.deepEqual(await socket.next(), told);
  const poll = await fetch(`${proxy.url}/_comet/poll?${query}&wait=0`);
  assert.deepEqual(await poll.json(), { events: [told] });
});

test('without it, and by a long poll that waits, nothing is told', async (t) => {
  const { proxy } = await scriptSite(t, PUBLIC);
  const query = `url=/state&since=${await stateId(proxy.url)}`;
  for (const more of ['&wait=0', '&wait=1&form=answer']) {
    const answer = await fetch(`${proxy.url}/_comet/poll?${query}${more}`);
    assert.deepEqual(await answer.json(), { events: [] }, more);
  }
});

test('with form=answer a patch says of which type it is', async (t) => {
  const site = await scriptSite(t, { vary: [], every: '50ms', patch: 'merge' });
  const filler = 'x'.repeat(200);
  site.state = { n: 1, filler };
  const sse = await openEventStream(t, `${site.proxy.url}/_comet/sse?url=/state&form=answer`);
  await sse.next();
  site.state = { n: 2, filler };
  const { data } = await sse.next();
  const { contentType, event, data: patch } = JSON.parse(data);
  assert.deepEqual([event, patch], ['patch', { n: 2 }]);
  assert.equal(contentType, 'application/merge-patch+json');
});

test('with beat=1 an event stream that ends says when to come back', async (t) => {
  const { proxy } = await scriptSite(t, PUBLIC);
  const sse = await openEventStream(t, `${proxy.url}/_comet/sse?url=/state&beat=1`);
  await sse.next();
  await sse.next();
  await proxy.drain();
  let last = await sse.next();
  while (last.event === 'beat') last = await sse.next();
  assert.equal(last.event, 'retry');
  const { event, data } = JSON.parse(last.data);
  assert.equal(event, 'retry');
  assert.ok(data.retryMs >= 1_000);
});
