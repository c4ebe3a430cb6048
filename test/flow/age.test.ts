import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { holdingScene, NEXT_POLL_MS } from './holding.ts';
import { openSessionSite } from './session-site.ts';
import { startStates } from './states-site.ts';

/** A site with one live endpoint, `/x`, that is polled every minute at most. */
async function scene(t: Parameters<typeof startStates>[0], headers: Record<string, string> = {}) {
  const clock = createFakeClock();
  const site = await startStates(t, { '/x': { body: '{"n":1}', headers } });
  const live = { '/x': { every: '1m', vary: [] } };
  const proxy = await startTestProxy(t, { site: site.url, live }, clock);
  const ask = async (validator?: string) => {
    const init = validator === undefined ? {} : { headers: { 'if-none-match': validator } };
    const answer = await fetch(`${proxy.url}/x`, init);
    await answer.arrayBuffer();
    return answer;
  };
  const age = async (validator?: string) => (await ask(validator)).headers.get('age');
  return { clock, site, ask, age };
}

test('an absorbed answer says for how many whole seconds its state has been known', async (t) => {
  const { clock, site, age } = await scene(t);
  assert.equal(await age(), '0');
  await clock.advance(1_999);
  assert.equal(await age(), '1');
  await clock.advance(58_000);
  assert.equal(await age(), '59');
  await clock.advance(1);
  assert.equal(await age(), '0', 'a poll has confirmed it');
  assert.equal(site.polls('/x'), 2);
});

test('a 304 says its age too, else a browser would keep that of the answer that it has', async (t) => {
  const { clock, ask } = await scene(t, { etag: '"7"', 'cache-control': 'max-age=5' });
  const first = await ask();
  assert.deepEqual([first.status, first.headers.get('age')], [200, '0']);
  await clock.advance(2_000);
  const second = await ask('"7"');
  assert.deepEqual([second.status, second.headers.get('age')], [304, '2']);
  assert.equal(second.headers.get('cache-control'), 'max-age=5');
});

const OF_THE_SITE: readonly [given: string, age: string][] = [
  ['30', '32'],
  ['30, 7', '32'],
  ['soon', '2'],
  ['-5', '2'],
  ['1.5', '2'],
];
for (const [given, expected] of OF_THE_SITE) {
  test(`"Age: ${given}" of the site's own makes 2 seconds into ${expected}`, async (t) => {
    const { clock, age } = await scene(t, { age: given });
    await age();
    await clock.advance(2_000);
    assert.equal(await age(), expected);
  });
}

test('what a cache before the site confirms by 304 is as old as that says', async (t) => {
  const { clock, site, age } = await scene(t, { etag: '"7"' });
  assert.equal(await age(), '0');
  site.set('/x', (req) => {
    assert.equal(req.headers['if-none-match'], '"7"');
    return { status: 304, headers: { etag: '"7"', age: '40' } };
  });
  await clock.advance(60_001);
  assert.equal(await age(), '40');
});

test('the age of a held answer is counted from the poll that ended it, or the last one', async (t) => {
  const { etag, hold, change, clock } = await holdingScene(t);
  const held = await hold({ prefer: 'wait=20', 'if-none-match': await etag() });
  await change('{"n":2}');
  const changed = await held.answer;
  assert.deepEqual([changed.status, changed.headers.get('age')], [200, '0']);
  const again = await hold({
    prefer: 'wait=6',
    'if-none-match': changed.headers.get('etag') ?? '',
  });
  await clock.advance(6_000);
  const same = await again.answer;
  const seconds = Number(same.headers.get('age'));
  assert.equal(same.status, 304);
  assert.ok(seconds >= 6 && seconds * 1_000 < NEXT_POLL_MS, `${seconds} s`);
});

test('a session is told the age of the state that all sessions share', async (t) => {
  const clock = createFakeClock();
  const site = await openSessionSite(t, { every: '1m', linger: '5m' }, clock);
  site.sessions.add('a').add('b');
  const ask = async (cookie: string) => {
    const answer = await fetch(`${site.proxy.url}/all`, { headers: { cookie } });
    await answer.arrayBuffer();
    return [answer.headers.get('cache-status'), answer.headers.get('age')];
  };
  const hit = 'comet-proxy; hit';
  assert.deepEqual(await ask('a'), [hit, '0']);
  await clock.advance(3_000);
  assert.deepEqual(await ask('b'), [hit, '3'], 'its own probe is no poll of the state');
});
