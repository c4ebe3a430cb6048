import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { switching, upgrade } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';
import { openBodies } from './socket-client.ts';
import type { SiteState } from './states-site.ts';
import { startStates } from './states-site.ts';

async function scene(t: TestContext, state: string | SiteState, endpoint: object = {}) {
  const site = await startStates(t, { '/x': state });
  const live = { '/x': { every: '50ms', vary: [], ...endpoint } };
  const proxy = await startTestProxy(t, { site: site.url, live });
  return { site, proxy, url: `${proxy.url}/x` };
}

test('each message is exactly the body, text as text', async (t) => {
  const body = '{ "n" : 1.0,\r\n "ü": "\\u2028" }';
  const { site, url } = await scene(t, { body });
  const client = await openBodies(t, url);
  const first = await client.next();
  assert.deepEqual([first.bytes.toString(), first.isBinary], [body, false]);
  site.set('/x', '2');
  assert.equal((await client.next()).bytes.toString(), '2');
});

test('a body that is not UTF-8 text is a binary message, and its bytes are as they were', async (t) => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const { site, url } = await scene(t, { headers: { 'content-type': 'image/png' }, body: bytes });
  const client = await openBodies(t, url);
  const first = await client.next();
  assert.equal(first.isBinary, true);
  assert.deepEqual(first.bytes, bytes);
  site.set('/x', { headers: { 'content-type': 'text/plain' }, body: 'text' });
  assert.equal((await client.next()).isBinary, false, 'each message has its own kind');
});

for (const length of [0, 125, 126, 65_535, 65_536, 1_000_000]) {
  test(`a body of ${length} bytes is one message`, async (t) => {
    const { url } = await scene(t, {
      headers: { 'content-type': 'text/plain' },
      body: 'x'.repeat(length),
    });
    const client = await openBodies(t, url);
    assert.equal((await client.next()).bytes.toString(), 'x'.repeat(length));
  });
}

test('an answer without content is an empty message', async (t) => {
  const { site, url } = await scene(t, '1');
  const client = await openBodies(t, url);
  await client.next();
  site.set('/x', { status: 204 });
  const { bytes, isBinary } = await client.next();
  assert.deepEqual([bytes.length, isBinary], [0, false]);
});

test('a failing site is not told on a bare stream, and changes are whole states', async (t) => {
  const { site, url } = await scene(t, '{"n":1,"long":"and the same before and after"}', {
    patch: 'json',
  });
  const client = await openBodies(t, url);
  await client.next();
  site.set('/x', { status: 500 });
  const before = site.polls('/x');
  await until(() => site.polls('/x') >= before + 2);
  const next = '{"n":2,"long":"and the same before and after"}';
  site.set('/x', next);
  assert.equal((await client.next()).bytes.toString(), next);
  assert.equal(client.items.length, 2);
});

const LAST_WORDS: readonly [status: number, code: number][] = [
  [401, 4401],
  [403, 4401],
  [410, 4410],
];
for (const [status, code] of LAST_WORDS) {
  test(`a last word by ${status} closes the connection with ${code}`, async (t) => {
    const { site, url, proxy } = await scene(t, '1');
    const client = await openBodies(t, url);
    await client.next();
    site.set('/x', { status });
    assert.equal((await client.closed).code, code);
    assert.equal(client.items.length, 1);
    assert.equal(proxy.streamCount, 0);
  });
}

/** A site that speaks WebSocket on the same URL, and answers everything else by this status. */
async function ownSocketSite(t: TestContext, status: number, toUpgrade: string) {
  const site = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => {
      const isUpgrade = /^upgrade: websocket\r$/im.test(peer.received);
      const plain = `HTTP/1.1 ${status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
      peer.send(isUpgrade ? toUpgrade : plain);
    });
  });
  const live = { '/x': { every: '50ms', vary: [] } };
  return startTestProxy(t, { site: site.url, live });
}

test('where the first poll is refused, the upgrade is for the site: its WebSocket answers', async (t) => {
  for (const status of [401, 404, 410]) {
    const proxy = await ownSocketSite(t, status, `${switching('X-By: site')}hello`);
    const peer = connectRaw(t, proxy.port);
    peer.send(upgrade('/x'));
    assert.match(await peer.receive('\r\n\r\nhello'), /^HTTP\/1\.1 101 /);
    assert.match(peer.received, /^x-by: site\r$/im);
    assert.equal(proxy.streamCount, 0);
  }
});

test('where the first poll is refused, the client meets the refusal of the site itself', async (t) => {
  const refusal = 'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 6\r\n\r\nlog in';
  const proxy = await ownSocketSite(t, 401, refusal);
  const peer = connectRaw(t, proxy.port);
  peer.send(upgrade('/x'));
  const answer = await readAnswer(peer);
  assert.deepEqual([answer.status, answer.body], [401, 'log in']);
  assert.deepEqual(answer.values('www-authenticate'), ['Basic']);
});

test('an endpoint without the transport "ws" is refused under /_comet/, and asks the site nothing', async (t) => {
  const { site, proxy } = await scene(t, '1', { transports: ['sse', 'poll'] });
  const peer = connectRaw(t, proxy.port);
  peer.send(upgrade('/_comet/ws?url=/x'));
  const answer = await readAnswer(peer);
  assert.equal(answer.status, 406);
  assert.match(answer.body, /^TRANSPORT_NOT_ALLOWED: /);
  assert.equal(site.requests.length, 0);
});

test('where there is no room for a stream the upgrade is refused', async (t) => {
  const site = await startStates(t, { '/x': '1' });
  const live = { '/x': { every: '50ms', vary: [] } };
  const proxy = await startTestProxy(t, { site: site.url, live, limits: { streamsPerAddress: 1 } });
  const first = await openBodies(t, `${proxy.url}/x`);
  for (const target of ['/x', '/_comet/ws?url=/x', '/_comet/ws']) {
    const peer = connectRaw(t, proxy.port);
    peer.send(upgrade(target));
    const answer = await readAnswer(peer);
    assert.equal(answer.status, 429);
    assert.equal(answer.values('retry-after').length, 1);
  }
  first.socket.close();
  await until(() => proxy.streamCount === 0);
  await openBodies(t, `${proxy.url}/x`);
});
