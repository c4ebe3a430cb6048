import assert from 'node:assert/strict';
import { test } from 'node:test';
import { get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { EVERY_MS, HOLD_MS, holdingScene, NEXT_POLL_MS, summary } from './holding.ts';

test('Prefer: wait holds a request until the state is another one, and answers with it', async (t) => {
  const { etag, hold, change } = await holdingScene(t);
  const tag = await etag();
  const held = await hold({ prefer: 'wait=20', 'if-none-match': tag });
  await change('{"n":2}');
  const response = await held.answer;
  assert.deepEqual([response.status, await response.text()], [200, '{"n":2}']);
  assert.equal(response.headers.get('preference-applied'), 'wait=20');
  assert.notEqual(response.headers.get('etag'), tag);
  assert.match(response.headers.get('vary') ?? '', /\bPrefer\b/);
  assert.equal(response.headers.get('cache-status'), 'comet-proxy; hit');
});

test('a poll that finds the same state ends no hold; at the end of its time it is 304', async (t) => {
  const { etag, hold, poll, clock } = await holdingScene(t);
  const tag = await etag();
  const held = await hold({ prefer: 'wait=20', 'if-none-match': `"other", W/${tag}` });
  await poll();
  await clock.advance(19_999 - NEXT_POLL_MS);
  assert.equal(held.isAnswered, false);
  await clock.advance(1);
  const response = await held.answer;
  assert.deepEqual([response.status, await response.text()], [304, '']);
  assert.equal(response.headers.get('preference-applied'), 'wait=20');
  assert.equal(response.headers.get('etag'), tag);
});

test('a wait is not longer than "hold", and the answer says how long it was', async (t) => {
  const { etag, hold, clock } = await holdingScene(t, { hold: 8 });
  const held = await hold({ prefer: 'respond-async, wait=600', 'if-none-match': await etag() });
  await clock.advance(7_999);
  assert.equal(held.isAnswered, false);
  await clock.advance(1);
  assert.deepEqual(await summary(held), [304, '', 'wait=8']);
});

const AT_ONCE: readonly [what: string, headers: Record<string, string>, status: number][] = [
  ['a request without a validator', {}, 200],
  ['one with the validator of another state', { 'if-none-match': '"other"' }, 200],
  ['If-None-Match: *, which no state of a client is', { 'if-none-match': '*' }, 304],
  ['an If-Modified-Since of another time', { 'if-modified-since': 'yesterday' }, 200],
];
for (const [what, headers, status] of AT_ONCE) {
  test(`${what} is answered at once, although it is ready to wait`, async (t) => {
    const { ask, etag } = await holdingScene(t);
    await etag();
    const [got, , applied] = await summary(ask({ prefer: 'wait=20', ...headers }));
    assert.deepEqual([got, applied], [status, 'wait=20']);
  });
}

test('a wait of no time is no wait, where plain requests are held too', async (t) => {
  const { ask, etag } = await holdingScene(t, { endpoint: { polls: 'hold' } });
  const asked = ask({ prefer: 'wait=0', 'if-none-match': await etag() });
  assert.deepEqual(await summary(asked), [304, '', 'wait=0']);
});

test('a date is a validator as well', async (t) => {
  const date = 'Sat, 01 Jan 2000 00:00:00 GMT';
  const state = { body: 'one', headers: { 'last-modified': date } };
  const { etag, hold, change } = await holdingScene(t, { state });
  await etag();
  const held = await hold({ prefer: 'wait=20', 'if-modified-since': date });
  await change({ body: 'two', headers: { 'last-modified': 'Sat, 01 Jan 2000 00:00:09 GMT' } });
  assert.deepEqual(await summary(held), [200, 'two', 'wait=20']);
});

test('an endpoint that lets plain requests pass holds those that ask for it', async (t) => {
  const { ask, hold, change, site } = await holdingScene(t, { endpoint: { polls: 'pass' } });
  await (await ask().answer).text();
  assert.equal(site.pages('/x'), 1, 'who does not ask for it gets the answer of the site');
  const first = await ask({ prefer: 'wait=20' }).answer;
  assert.equal(await first.text(), '{"n":1}');
  const tag = first.headers.get('etag') ?? '';
  const held = await hold({ prefer: 'wait=20', 'if-none-match': tag });
  await change('{"n":2}');
  assert.deepEqual(await summary(held), [200, '{"n":2}', 'wait=20']);
  assert.equal(site.pages('/x'), 1);
});

test('an endpoint without the transport "poll" ignores the preference', async (t) => {
  const { ask, etag } = await holdingScene(t, { endpoint: { transports: ['sse'] } });
  const asked = ask({ prefer: 'wait=20', 'if-none-match': await etag() });
  assert.deepEqual(await summary(asked), [304, '', null]);
});

test('polls: "hold" holds every plain request with a validator, and says nothing of it', async (t) => {
  const { ask, etag, hold, change, clock } = await holdingScene(t, { endpoint: { polls: 'hold' } });
  const tag = await etag();
  const same = await hold({ 'if-none-match': tag });
  await clock.advance(HOLD_MS);
  assert.deepEqual(await summary(same), [304, '', null]);
  const other = await hold({ 'if-none-match': tag });
  await change('{"n":2}');
  assert.deepEqual(await summary(other), [200, '{"n":2}', null]);
  assert.deepEqual(await summary(ask()), [200, '{"n":2}', null], 'without one at once');
});

test('many held requests are answered by one change, and cost one poll', async (t) => {
  const { ask, etag, untilHeld, change, site } = await holdingScene(t);
  const tag = await etag();
  const all = Array.from({ length: 50 }, () => ask({ prefer: 'wait=20', 'if-none-match': tag }));
  await untilHeld(all);
  assert.equal(site.polls('/x'), 1, 'what it told still holds');
  await change('{"n":2}');
  const answers = await Promise.all(all.map(summary));
  assert.deepEqual(answers, Array(50).fill([200, '{"n":2}', 'wait=20']));
  assert.equal(site.polls('/x'), 2, 'one for the state, one that found the change');
  assert.equal(site.pages('/x'), 0);
});

test('a newer request of the same client ends the older one by 304', async (t) => {
  const { etag, hold, change } = await holdingScene(t, { endpoint: { polls: 'hold' } });
  const headers = { 'if-none-match': await etag(), cookie: 'a=1' };
  const older = await hold(headers);
  const newer = await hold({ ...headers, accept: 'application/json' });
  assert.deepEqual(await summary(older), [304, '', null]);
  await change('{"n":2}');
  assert.deepEqual(await summary(newer), [200, '{"n":2}', null]);
});

const APART: readonly [who: string, one: Record<string, string>, other: Record<string, string>][] =
  [
    ['two clients', { cookie: 'a=1' }, { cookie: 'a=2' }],
    ['two browsers', { 'user-agent': 'a' }, { 'user-agent': 'b' }],
    ['requests that asked to be held', { prefer: 'wait=25' }, { prefer: 'wait=25' }],
  ];
for (const [who, one, other] of APART) {
  test(`${who} do not end each other's`, async (t) => {
    const { etag, hold, change } = await holdingScene(t, { endpoint: { polls: 'hold' } });
    const tag = await etag();
    const first = await hold({ 'if-none-match': tag, ...one });
    const second = await hold({ 'if-none-match': tag, ...other }, 1);
    assert.equal(first.isAnswered, false);
    await change('{"n":2}');
    const answers = await Promise.all([summary(first), summary(second)]);
    assert.deepEqual(
      answers.map(([status]) => status),
      [200, 200],
    );
  });
}

test('when the last client has left, polling ends after "linger"', async (t) => {
  const { etag, hold, clock, site } = await holdingScene(t, { endpoint: { linger: '7s' } });
  const held = await hold({ prefer: 'wait=25', 'if-none-match': await etag() });
  assert.equal(site.polls('/x'), 1);
  held.leave();
  await assert.rejects(held.answer);
  await until(() => clock.count(7_000) === 1);
  assert.equal(clock.count(HOLD_MS), 0, 'it is held no more');
  await clock.advance(7_000);
  assert.equal(clock.pending, 0);
  const polls = site.polls('/x');
  await clock.advance(10 * EVERY_MS);
  assert.equal(site.polls('/x'), polls);
});

test("a page's first poll is answered at once, whatever its browser's cache has", async (t) => {
  const { proxy, ask, etag, hold } = await holdingScene(t, { endpoint: { polls: 'hold' } });
  const agent = ['User-Agent: old'];
  const headers = { 'user-agent': 'old', 'if-none-match': await etag({ 'user-agent': 'old' }) };
  await hold(headers);
  // As a browser does: `fetch` would say that it is no navigation.
  const page = connectRaw(t, proxy.port);
  page.send(get('/page', 'Accept: text/html', ...agent));
  await readAnswer(page);
  assert.deepEqual(await summary(ask(headers)), [304, '', null]);
  await hold(headers);
});
