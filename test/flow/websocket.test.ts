import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';
import { openEnvelopes } from './socket-client.ts';
import type { StatesSite } from './states-site.ts';
import { startStates } from './states-site.ts';

async function scene(t: TestContext, config: object = {}, endpoint: object = {}) {
  const site = await startStates(t, { '/api/a': '"a1"', '/api/b': '"b1"' });
  const live = { '/api/:name': { every: '50ms', vary: [], ...endpoint } };
  const proxy = await startTestProxy(t, { site: site.url, live, ...config });
  return { site, proxy };
}

/** Wait until one path has not been polled in the time in which another one was, several times. */
async function untilUnpolled(site: StatesSite, path: string, other: string): Promise<void> {
  for (let before = -1; before !== site.polls(path); ) {
    before = site.polls(path);
    const goal = site.polls(other) + 5;
    await until(() => site.polls(other) >= goal);
  }
}

test('a WebSocket may begin without any URL, and subscribe later', async (t) => {
  const { site, proxy } = await scene(t);
  const client = await openEnvelopes(t, proxy.url);
  client.say({ subscribe: '/api/a' });
  const first = await client.next();
  assert.deepEqual([first.url, first.event, first.data], ['/api/a', 'snapshot', 'a1']);
  assert.match(first.id ?? '', /^[A-Za-z0-9_.~-]{1,128}$/);
  site.set('/api/a', '"a2"');
  assert.deepEqual((await client.next()).data, 'a2');
  assert.equal(site.polls('/api/b'), 0);
});

test('the URLs of the handshake are shown, each from the since behind it', async (t) => {
  const { site, proxy } = await scene(t);
  const first = await openEnvelopes(t, proxy.url, '?url=/api/a&url=%2Fapi%2Fb&_=1');
  const heads = [await first.next(), await first.next()];
  assert.deepEqual(heads.map(({ data }) => data).sort(), ['a1', 'b1']);
  const since = heads.find(({ url }) => url === '/api/a')?.id ?? '';
  const second = await openEnvelopes(t, proxy.url, `?url=/api/a&since=${since}&url=/api/b`);
  assert.equal((await second.next()).data, 'b1');
  site.set('/api/a', '"a2"');
  assert.equal((await second.next()).data, 'a2', 'it had "a1" already');
});

test('who subscribes with a cursor gets what it has missed, and nothing twice', async (t) => {
  const { site, proxy } = await scene(t);
  const witness = await openEnvelopes(t, proxy.url, '?url=/api/a');
  const { id: since } = await witness.next();
  const ids = [since];
  for (const value of ['"a2"', '"a3"']) {
    site.set('/api/a', value);
    ids.push((await witness.next()).id);
  }
  const client = await openEnvelopes(t, proxy.url);
  client.say({ subscribe: '/api/a', since });
  assert.deepEqual([(await client.next()).data, (await client.next()).data], ['a2', 'a3']);

  const current = await openEnvelopes(t, proxy.url);
  current.say({ subscribe: '/api/a', since: ids.at(-1) });
  current.say({ subscribe: '/api/b' });
  assert.equal((await current.next()).data, 'b1');
  site.set('/api/a', '"a4"');
  assert.equal((await current.next()).data, 'a4');
});

for (const since of ['0-1', '', 'x y', 5, null, { a: 1 }, 'x'.repeat(500)]) {
  test(`a cursor that nobody gave, ${JSON.stringify(since).slice(0, 20)}, gets a snapshot`, async (t) => {
    const { proxy } = await scene(t);
    const client = await openEnvelopes(t, proxy.url);
    client.say({ subscribe: '/api/a', since });
    assert.equal((await client.next()).data, 'a1');
  });
}

test('after unsubscribe a URL says nothing, and the others go on', async (t) => {
  const { site, proxy } = await scene(t, {}, { linger: '0s' });
  const client = await openEnvelopes(t, proxy.url, '?url=/api/a&url=/api/b');
  await client.next();
  await client.next();
  client.say({ unsubscribe: '/api/a?_=123' });
  // Nobody else wants it, so it is polled no more; then nothing of it can be on its way either.
  await untilUnpolled(site, '/api/a', '/api/b');
  const before = client.items.length;
  site.set('/api/a', '"a2"');
  site.set('/api/b', () => ({ body: String(site.polls('/api/b')) }));
  await until(() => client.items.length >= before + 5);
  assert.ok(client.items.slice(before).every(({ url }) => url === '/api/b'));
});

test('who subscribes to a URL again begins again from that cursor, once', async (t) => {
  const { site, proxy } = await scene(t);
  const client = await openEnvelopes(t, proxy.url, '?url=/api/a');
  const first = await client.next();
  client.say({ subscribe: '/api/a?_=5' });
  const again = await client.next();
  assert.deepEqual(again, first, 'under the same address and id');
  client.say({ subscribe: '/api/a', since: first.id });
  site.set('/api/a', '"a2"');
  assert.equal((await client.next()).data, 'a2');
  client.say({ subscribe: '/api/b' });
  assert.equal((await client.next()).data, 'b1', 'and not "a2" once more');
});

test('the last word of one URL leaves the others, and who comes back is polled for anew', async (t) => {
  const { site, proxy } = await scene(t);
  const client = await openEnvelopes(t, proxy.url, '?url=/api/a&url=/api/b');
  await client.next();
  await client.next();
  site.set('/api/a', { status: 410 });
  const last = await client.next();
  assert.deepEqual([last.url, last.event, last.data], ['/api/a', 'gone', { status: 410 }]);
  site.set('/api/b', '"b2"');
  assert.equal((await client.next()).data, 'b2');
  site.set('/api/a', '"back"');
  client.say({ subscribe: '/api/a' });
  assert.equal((await client.next()).data, 'back');
});

test('when all have said their last word the connection stays, for other URLs', async (t) => {
  const { site, proxy } = await scene(t);
  const client = await openEnvelopes(t, proxy.url, '?url=/api/a');
  await client.next();
  site.set('/api/a', { status: 401 });
  assert.equal((await client.next()).event, 'unauthorized');
  client.say({ subscribe: '/api/b' });
  assert.equal((await client.next()).data, 'b1');
});

test('a URL that is refused from the beginning is told by its last word', async (t) => {
  const { site, proxy } = await scene(t);
  site.set('/api/a', { status: 403 });
  const client = await openEnvelopes(t, proxy.url);
  client.say({ subscribe: '/api/a' });
  const { event, data } = await client.next();
  assert.deepEqual([event, data], ['unauthorized', { status: 403 }]);
});

test('an absolute URL of our own origin is as good as its path', async (t) => {
  const { proxy } = await scene(t);
  const client = await openEnvelopes(t, proxy.url);
  client.say({ subscribe: `${proxy.url}/api/a` });
  assert.deepEqual((await client.next()).url, '/api/a');
});

test('URLs that are asked for later are polled with the credentials of the handshake', async (t) => {
  const { site, proxy } = await scene(t, {}, { vary: ['cookie', 'authorization'] });
  site.set('/api/a', ({ headers: { cookie, authorization } }) => ({
    body: JSON.stringify([cookie, authorization]),
  }));
  const headers = { cookie: 'id=anna', authorization: 'Bearer a' };
  const anna = await openEnvelopes(t, proxy.url, '', { headers });
  const ben = await openEnvelopes(t, proxy.url, '', { headers: { cookie: 'id=ben' } });
  ben.say({ subscribe: '/api/a', cookie: 'id=anna', headers });
  anna.say({ subscribe: '/api/a' });
  assert.deepEqual((await anna.next()).data, ['id=anna', 'Bearer a']);
  assert.deepEqual((await ben.next()).data, ['id=ben', null]);
});

test('a client that leaves leaves nothing behind', async (t) => {
  const { site, proxy } = await scene(t, {}, { linger: '0s' });
  const client = await openEnvelopes(t, proxy.url, '?url=/api/a');
  await client.next();
  assert.equal(proxy.streamCount, 1);
  client.socket.close();
  await client.closed;
  await until(() => proxy.streamCount === 0);
  await openEnvelopes(t, proxy.url, '?url=/api/b');
  await untilUnpolled(site, '/api/a', '/api/b');
});

test('a plain GET of /_comet/ws is told that it must upgrade', async (t) => {
  const { proxy } = await scene(t);
  const response = await fetch(`${proxy.url}/_comet/ws?url=/api/a`);
  assert.equal(response.status, 426);
  assert.match(await response.text(), /^UPGRADE_REQUIRED: /);
  assert.equal(response.headers.get('upgrade'), 'websocket');
});
