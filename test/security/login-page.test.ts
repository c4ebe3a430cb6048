import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { Clock } from '../../src/shared/clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { openLines } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

/*
 * A site that answers whoever is not logged in with a page and status 200: where sessions share one
 * state, that page lets nobody see it, whenever it came.
 */

const SECRET = '{"secret":1}';
const PAGE = '<form action="/login">';

async function openScene(t: TestContext, keys: object = {}, clock?: Clock) {
  let polls = 0;
  let release: () => void = () => undefined;
  const gate = { isShut: false, asked: 0 };
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const site = await startUpstream(t, async (req, res) => {
    const isMember = req.headers.cookie?.startsWith('sid=') ?? false;
    if (!isMember) {
      gate.asked += 1;
      return res.setHeader('content-type', 'text/html').end(PAGE);
    }
    polls += 1;
    if (gate.isShut && polls === 2) await released;
    res.setHeader('content-type', 'application/json').end(SECRET);
  });
  const live = { '/all': { every: '1h', authorizedBy: ['cookie'], ...keys } };
  const proxy = await startTestProxy(t, { site: site.url, live }, clock);
  const headers = (cookie: string) => ({ headers: { cookie } });
  return {
    gate,
    release,
    polls: () => polls,
    ask: async (cookie: string) => (await fetch(`${proxy.url}/all`, headers(cookie))).text(),
    open: (cookie: string) => openLines(t, `${proxy.url}/_comet/stream?url=/all`, { cookie }),
  };
}

test('a page that came before the state was known shows nothing of it', async (t) => {
  const scene = await openScene(t);
  scene.gate.isShut = true;
  const member = await scene.open('sid=1');
  // It is let in, and the first poll with its credentials is under way.
  await until(() => scene.polls() === 2);
  const stranger = await scene.open('none');
  await until(() => scene.gate.asked === 1);
  scene.release();
  assert.deepEqual((await member.next())['data'], JSON.parse(SECRET));
  assert.equal((await stranger.next())['event'], 'unauthorized');
  await stranger.ended;
});

test('nor does one that came when nobody streams, after a plain request of a session', async (t) => {
  const clock = createFakeClock();
  const scene = await openScene(t, { every: '1s', linger: '1h', probeEvery: '1h' }, clock);
  assert.equal(await scene.ask('sid=1'), SECRET);
  for (let round = 0; round < 3; round++) {
    // Until what was found is old, and nobody needs it any more.
    await clock.advance(5_000);
    assert.equal(await scene.ask('none'), PAGE);
    assert.equal(await scene.ask(`sid=${round}`), SECRET);
  }
});
