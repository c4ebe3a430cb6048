import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { HOLD_MS, holdingScene, NEXT_POLL_MS, summary } from '../flow/holding.ts';
import type { SiteState } from '../flow/states-site.ts';
import { until } from '../support/until.ts';

/*
 * A held request waits for the state of a channel: it must be the one of its own identity, and it
 * is answered from there no longer when the site means its answer for one client only.
 */

const isPoll = ({ headers }: IncomingMessage) =>
  headers['user-agent']?.startsWith('comet-proxy/') === true;

/** Tells each client its own cookie, and a number that changes. */
const personal =
  (n: number) =>
  ({ headers }: IncomingMessage): SiteState => ({
    body: JSON.stringify([headers.cookie ?? 'nobody', n]),
  });

const HOW: readonly [how: string, endpoint: object, headers: Record<string, string>][] = [
  ['by Prefer', {}, { prefer: 'wait=25' }],
  ['by polls: "hold"', { polls: 'hold' }, {}],
];
for (const [how, endpoint, more] of HOW) {
  test(`each client that is held ${how} is answered with its own state`, async (t) => {
    const { site, etag, ask, untilHeld, clock } = await holdingScene(t, {
      endpoint: { vary: ['cookie'], ...endpoint },
    });
    site.set('/x', personal(1));
    const cookies = ['id=anna', 'id=ben', 'id=annabel', 'id=anna; id=ben'];
    const tags: string[] = [];
    for (const cookie of cookies) tags.push(await etag({ cookie }));
    assert.equal(new Set(tags).size, cookies.length, 'no validator is one for two');
    const held = cookies.map((cookie, i) =>
      ask({ cookie, 'if-none-match': tags[i] ?? '', ...more }),
    );
    await untilHeld(held);
    site.set('/x', personal(2));
    await clock.advance(NEXT_POLL_MS);
    const bodies = await Promise.all(held.map(async (one) => (await summary(one))[1]));
    assert.deepEqual(
      bodies.map((body) => JSON.parse(body) as unknown),
      cookies.map((cookie) => [cookie, 2]),
    );
    assert.equal(site.pages('/x'), 0);
  });
}

test("the validator of another client's state holds nobody: the answer is one's own, at once", async (t) => {
  const { site, etag, ask } = await holdingScene(t, { endpoint: { vary: ['cookie'] } });
  site.set('/x', personal(1));
  const anna = await etag({ cookie: 'id=anna' });
  const ben = ask({ cookie: 'id=ben', 'if-none-match': anna, prefer: 'wait=25' });
  assert.deepEqual(await summary(ben), [200, '["id=ben",1]', 'wait=25']);
});

test('when a poll says 401 the site itself answers, to the credentials of the request', async (t) => {
  const { site, etag, hold, poll } = await holdingScene(t, { endpoint: { vary: ['cookie'] } });
  const cookie = 'id=anna';
  const held = await hold({ cookie, 'if-none-match': await etag({ cookie }), prefer: 'wait=25' });
  const refusal = { status: 401, headers: { 'www-authenticate': 'Basic' }, body: 'log in' };
  site.set('/x', refusal);
  await poll();
  const response = await held.answer;
  assert.deepEqual([response.status, await response.text()], [401, 'log in']);
  assert.equal(response.headers.get('www-authenticate'), 'Basic');
  const own = site.requests.at(-1)?.headers;
  assert.deepEqual([own?.cookie, own?.['prefer']], [cookie, 'wait=25']);
});

const PERSONAL: readonly [what: string, headers: Record<string, string>][] = [
  ['sets a cookie', { 'set-cookie': 'sid=of-the-poll' }],
  ['varies on what the poll does not carry', { vary: 'Accept-Language' }],
];
for (const [what, headers] of PERSONAL) {
  test(`an answer that ${what} is not shared by hold: each asks the site itself`, async (t) => {
    const { ask, etag, untilHeld, change } = await holdingScene(t);
    const tag = await etag();
    const all = [1, 2].map((n) =>
      ask({ 'if-none-match': tag, prefer: 'wait=25', 'x-number': String(n) }),
    );
    await untilHeld(all);
    const answerTo = (req: IncomingMessage): SiteState =>
      isPoll(req)
        ? { headers, body: 'of the poll' }
        : { headers: { 'set-cookie': `sid=${req.headers['x-number']}` }, body: 'own' };
    await change(answerTo);
    const answers = await Promise.all(all.map(({ answer }) => answer));
    assert.deepEqual(await Promise.all(answers.map((answer) => answer.text())), ['own', 'own']);
    assert.deepEqual(
      answers.map((answer) => answer.headers.get('set-cookie')),
      ['sid=1', 'sid=2'],
    );
  });
}

test("another origin's page is not held, and what it may read only the site can say", async (t) => {
  const { site, etag, ask } = await holdingScene(t, { endpoint: { polls: 'hold' } });
  const tag = await etag();
  const origin = 'https://elsewhere.example';
  const asked = ask({ origin, 'if-none-match': tag, prefer: 'wait=25' });
  assert.deepEqual(await summary(asked), [200, '{"n":1}', null]);
  assert.equal(site.pages('/x'), 1);
});

const ONE = { limits: { streamsPerAddress: 1 } };

test('a held request takes the place of a stream, and who finds none is answered at once', async (t) => {
  const { proxy, etag, hold, ask, clock } = await holdingScene(t, { config: ONE });
  const headers = { 'if-none-match': await etag(), prefer: 'wait=25' };
  const held = await hold(headers);
  assert.deepEqual(await summary(ask(headers)), [304, '', 'wait=25']);
  const stream = await fetch(`${proxy.url}/_comet/stream?url=/x`);
  assert.equal(stream.status, 429);
  assert.equal(held.isAnswered, false);
  await clock.advance(HOLD_MS);
  assert.equal((await summary(held))[0], 304);
  const again = await hold(headers);
  again.leave();
});

test('where a stream has the last place a request is answered at once', async (t) => {
  const { proxy, etag, ask } = await holdingScene(t, { config: ONE, endpoint: { polls: 'hold' } });
  const tag = await etag();
  const controller = new AbortController();
  await fetch(`${proxy.url}/_comet/stream?url=/x`, { signal: controller.signal });
  assert.deepEqual(await summary(ask({ 'if-none-match': tag })), [304, '', null]);
  controller.abort();
});

test('clients that come and leave take no places with them', async (t) => {
  const { etag, hold, clock } = await holdingScene(t, { config: ONE });
  const headers = { 'if-none-match': await etag(), prefer: 'wait=25' };
  for (let round = 0; round < 5; round++) {
    const held = await hold(headers);
    held.leave();
    await assert.rejects(held.answer);
    await until(() => clock.count(HOLD_MS) === 0);
  }
});
