import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { EVERY_MS, openTrying, PATIENCE_MS } from './trying.ts';

test('calls by POST are compared less the ids of their callers', async (t) => {
  const keys = { method: 'POST', match: { body: { '/method': 'list' } }, rpc: 'json-rpc' };
  const call = (id: number) => ({ method: 'POST', body: `{"method":"list","id":${id}}` });
  const trying = await openTrying(t, keys, { question: call(1) });
  const { site, ask, differ, untilCounted } = trying;
  differ({ body: '{"id":7,"n":1}' }, { body: '{"n":1,"id":3}' });
  assert.equal((await ask(call(7))).body, '{"id":7,"n":1}');
  await untilCounted('matched', 1);
  await ask(call(8));
  await untilCounted('matched', 2);
  assert.deepEqual([site.pages('/x'), site.polls('/x')], [2, 1]);
});

test('a session that the site lets in is compared with the state of all sessions', async (t) => {
  const keys = { vary: undefined, authorizedBy: ['cookie:S'], probeEvery: '1h', linger: '1h' };
  const { clock, site, ask, differ, untilCounted, proxy } = await openTrying(t, keys);
  const as = (session: string) => ask({ headers: { cookie: `S=${session}` } });
  for (const [i, session] of ['a', 'b', 'a'].entries()) {
    await as(session);
    await untilCounted('matched', i + 1);
  }
  // A probe for each, and one poll for all.
  assert.deepEqual([site.pages('/x'), site.polls('/x')], [3, 3]);
  differ({ status: 401 });
  await as('b');
  await untilCounted('saved', 4);
  await clock.advance(EVERY_MS + 1);
  await as('a');
  await untilCounted('saved', 5);
  await clock.advance(PATIENCE_MS);
  await untilCounted('mismatched', 1);
  const [line] = proxy.lines.filter(({ message }) => message.startsWith('shadow'));
  assert.match(line?.message ?? '', /another status/);
});

test('a state of one client is compared with what that client gets', async (t) => {
  const trying = await openTrying(t, { vary: ['cookie:S'] });
  const { site, ask, untilCounted } = trying;
  site.set('/x', ({ headers }) => ({ body: JSON.stringify(headers.cookie) }));
  for (const [i, session] of ['a', 'b', 'a', 'b'].entries()) {
    await ask({ headers: { cookie: `S=${session}` } });
    await untilCounted('matched', i + 1);
  }
  assert.equal(site.polls('/x'), 2);
});

for (const packed of [false, true]) {
  test(`URLs of a mount are rewritten before they are compared${packed ? ', packed or not' : ''}`, async (t) => {
    const comet = { '/chat/': { origin: 'http://push.test:1/', rewriteUrls: true } };
    const { ask, differ, untilCounted } = await openTrying(t, {}, { config: { comet } });
    const text = '{"url":"http://push.test:1/room"}';
    const coded = { headers: { 'content-encoding': 'gzip' }, body: gzipSync(text) };
    differ(packed ? coded : { body: text }, { body: text });
    const { body } = await ask();
    assert.match(body, /127\.0\.0\.1:\d+\/chat\/room/);
    await untilCounted('matched', 1);
  });
}

test('only clients inside of the share are tried', async (t) => {
  const { ask, site, untilCounted, report } = await openTrying(t, {
    share: '50%',
    vary: ['cookie:S'],
  });
  for (let i = 0; i < 20; i++) await ask({ headers: { cookie: `S=${i}` } });
  const { requests } = await report();
  assert.ok(requests > 2 && requests < 18, `${requests}`);
  await untilCounted('matched', requests);
  assert.deepEqual([site.pages('/x'), site.polls('/x')], [20, requests]);
});
