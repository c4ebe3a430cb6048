import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { until } from '../support/until.ts';
import { HOLD_MS, holdingScene, summary } from './holding.ts';
import type { SiteState } from './states-site.ts';

/** A state for polls, and the answer for the requests of clients themselves. */
function differing(poll: SiteState) {
  return (req: IncomingMessage): SiteState =>
    req.headers['user-agent']?.startsWith('comet-proxy/')
      ? poll
      : { status: 201, headers: { 'x-by': 'the site' }, body: 'own' };
}

test('when the site fails meanwhile, the request is passed through at the end of its time', async (t) => {
  const { etag, hold, poll, clock, site } = await holdingScene(t);
  const held = await hold({ prefer: 'wait=25', 'if-none-match': await etag() });
  site.set('/x', differing({ status: 500 }));
  await poll();
  assert.equal(held.isAnswered, false);
  assert.equal(site.pages('/x'), 0);
  await clock.advance(HOLD_MS);
  const response = await held.answer;
  assert.deepEqual([response.status, await response.text()], [201, 'own']);
  assert.equal(response.headers.get('x-by'), 'the site');
  assert.equal(response.headers.get('preference-applied'), null);
});

for (const status of [401, 410]) {
  test(`when the site refuses by ${status} meanwhile, the request is passed through at once`, async (t) => {
    const { etag, hold, poll, site } = await holdingScene(t);
    const held = await hold({ prefer: 'wait=25', 'if-none-match': await etag() });
    site.set('/x', differing({ status }));
    await poll();
    const response = await held.answer;
    assert.deepEqual([response.status, await response.text()], [201, 'own']);
  });
}

test('a site that works again before the end of the time is waited for', async (t) => {
  const { etag, hold, poll, change, clock, site } = await holdingScene(t, { hold: 55 });
  const held = await hold({ prefer: 'wait=55', 'if-none-match': await etag() });
  site.set('/x', { status: 500 });
  await poll();
  site.set('/x', '{"n":1}');
  await clock.advance(11_000);
  await poll();
  assert.equal(held.isAnswered, false);
  await change('{"n":2}');
  assert.deepEqual(await summary(held), [200, '{"n":2}', 'wait=55']);
});

const DRAINED: readonly [how: string, endpoint: object, headers: Record<string, string>][] = [
  ['by Prefer', {}, { prefer: 'wait=25' }],
  ['by polls: "hold"', { polls: 'hold' }, {}],
];
for (const [how, endpoint, headers] of DRAINED) {
  test(`a proxy that drains answers at once what is held ${how}`, async (t) => {
    const config = { limits: { drain: '1h' } };
    const { etag, hold, proxy, clock } = await holdingScene(t, { endpoint, config });
    const tag = await etag();
    const first = await hold({ 'if-none-match': tag, cookie: 'a=1', ...headers });
    const second = await hold({ 'if-none-match': tag, cookie: 'a=2', ...headers }, 1);
    const drained = proxy.drain();
    for (const held of [first, second]) assert.equal((await summary(held))[0], 304);
    await drained;
    assert.equal(clock.now(), 0, 'without any time');
  });
}

test('a request whose client has left is not passed through', async (t) => {
  const { etag, hold, site, clock } = await holdingScene(t);
  const held = await hold({ prefer: 'wait=25', 'if-none-match': await etag() });
  held.leave();
  await assert.rejects(held.answer);
  await until(() => clock.count(5_000) === 1);
  assert.equal(site.pages('/x'), 0);
});
