import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream } from '../support/stream-client.ts';
import { LIST, openRpcSite } from './rpc-site.ts';
import { startStates } from './states-site.ts';

const HIT = 'comet-proxy; hit';

/** A live endpoint, `/x`, that some of the clients are converted for, and one beside it. */
async function scene(t: TestContext, share: string, keys: object = {}) {
  const site = await startStates(t, { '/x': '{"n":1}', '/y': '{"n":2}' });
  const endpoint = { every: '1m', vary: ['cookie:S'], share, ...keys };
  const proxy = await startTestProxy(t, {
    site: site.url,
    inject: ['/**'],
    live: { '/x': endpoint, '/y': endpoint },
  });
  const ask = async (session: number, path = '/x', headers: Record<string, string> = {}) => {
    const init = { headers: { cookie: `S=${session}`, ...headers } };
    const answer = await fetch(`${proxy.url}${path}`, init);
    return { answer, body: await answer.text() };
  };
  const isHit = async (session: number, path?: string) =>
    (await ask(session, path)).answer.headers.get('cache-status') === HIT;
  return { site, proxy, ask, isHit };
}

const SESSIONS = Array.from({ length: 40 }, (_, i) => i);

test('plain requests of clients outside of the share are passed through', async (t) => {
  const { site, isHit } = await scene(t, '50%');
  const hits: number[] = [];
  for (const session of SESSIONS) if (await isHit(session)) hits.push(session);
  assert.ok(hits.length > 5 && hits.length < 35, `${hits.length}`);
  assert.equal(site.pages('/x'), SESSIONS.length - hits.length);
  assert.equal(site.polls('/x'), hits.length, 'nothing is polled for who is outside');
  for (const session of SESSIONS) {
    assert.equal(await isHit(session, '/y'), hits.includes(session), 'the same ones everywhere');
  }
});

test('a client outside of it is not told what is live, and one inside is', async (t) => {
  const { ask } = await scene(t, '50%');
  const told = new Set<string>();
  for (const session of SESSIONS) {
    const { headers } = (await ask(session)).answer;
    told.add(`${headers.get('cache-status')}, ${headers.has('comet-live')}`);
  }
  assert.deepEqual([...told].sort(), [`${HIT}, true`, 'null, false']);
});

for (const polls of ['absorb', 'hold']) {
  test(`"0%" turns off ${polls}, and neither streams nor what asks to wait`, async (t) => {
    const { site, proxy, ask } = await scene(t, '0%', { polls });
    for (const session of SESSIONS) assert.equal((await ask(session)).body, '{"n":1}');
    assert.deepEqual([site.pages('/x'), site.polls('/x')], [SESSIONS.length, 0]);
    const stream = await openEventStream(t, `${proxy.url}/x`);
    assert.equal((await stream.next()).data, '{"n":1}');
    assert.equal(site.polls('/x'), 1);
    const { answer } = await ask(0, '/x', { prefer: 'wait=20' });
    assert.equal(answer.headers.get('cache-status'), HIT);
    assert.equal(answer.headers.get('comet-live'), null);
  });
}

test('polls by POST of clients outside of the share pass with their bodies, and are no writes', async (t) => {
  const site = await openRpcSite(t, { ...LIST, share: '0%' });
  const body = '{"method":"list"}';
  const url = `${site.proxy.url}/_comet/sse?url=/rpc&body=${encodeURIComponent(body)}`;
  const stream = await openEventStream(t, url, { 'sec-fetch-site': 'same-origin' });
  await stream.next();
  for (let i = 0; i < 3; i++) await (await site.call(body)).text();
  const bodies = site.of('list').map((call) => call.body);
  assert.deepEqual(bodies, Array(4).fill(body), 'one poll, three pages');
});
