import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { BARE_SSE, BARE_WS, CLIENTS } from '../contract/transport/clients.ts';
import { read } from '../contract/transport/reader.ts';
import { openEnvelopes } from '../flow/socket-client.ts';
import { openEventStream, openLines } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { EVERY_MS, NEXT_POLL_MS, startSessions } from './session-scene.ts';

/*
 * Who has logged out may have left the machine to somebody else: once the answer to the logout is
 * on its way, nothing of that session is shown any more, whatever the site would answer to polls.
 */

const LOGOUT = { logoutOn: ['POST /logout', 'GET /logout.php', '/api/logout'] };
const POST = { method: 'POST' };
const ANNA = { cookie: 'SESSION=anna' };
const TOLD = { status: 200, reason: 'logout' };

for (const client of [...Object.values(CLIENTS), BARE_SSE, BARE_WS]) {
  test(`${client.name}: a logout ends the stream, and its polls`, async (t) => {
    const scene = await startSessions(t, LOGOUT);
    const reader = read(t, client, scene, { '/api/x': undefined }, ANNA);
    await reader.next();
    const { status } = await scene.ask('/logout', { ...POST, headers: ANNA });
    assert.equal(status, 200);
    if (client.hasWords) {
      const last = await reader.next();
      assert.deepEqual([last.event, last.data], ['unauthorized', TOLD]);
    } else {
      assert.equal((await reader.ended).closeCode, 4401);
    }
    await until(() => scene.proxy.streamCount === 0 || client === CLIENTS.ws);
    const { polls } = scene;
    await scene.clock.advance(10 * EVERY_MS);
    assert.equal(scene.polls, polls);
    assert.equal(reader.events.filter(({ event }) => event === 'snapshot').length, 1);
  });
}

test('a poll that is under way at the logout brings nothing to anybody', async (t) => {
  const scene = await startSessions(t, LOGOUT);
  const stream = await openEventStream(t, `${scene.proxy.url}/api/x`, ANNA);
  await stream.next();
  let late: ServerResponse | undefined;
  scene.answer = (_req, res) => {
    late = res;
  };
  await scene.clock.advance(NEXT_POLL_MS);
  await until(() => late !== undefined);
  await scene.ask('/logout', { ...POST, headers: ANNA });
  late?.setHeader('content-type', 'application/json').end('"of anna"');
  await stream.ended;
  assert.deepEqual(
    stream.items.map(({ event }) => event),
    [undefined, 'unauthorized'],
  );
});

test('a plain request that waits for a poll at the logout asks the site itself', async (t) => {
  const scene = await startSessions(t, LOGOUT);
  let late: ServerResponse | undefined;
  scene.answer = (_req, res) => {
    late = res;
  };
  const plain = scene.ask('/api/x', { headers: ANNA });
  await until(() => late !== undefined);
  scene.answer = (_req, res) => res.writeHead(401).end();
  await scene.ask('/logout', { ...POST, headers: ANNA });
  assert.equal((await plain).status, 401);
});

test('the last word leaves before the answer to the logout', async (t) => {
  const scene = await startSessions(t, LOGOUT);
  const order: string[] = [];
  const lines = await openLines(t, `${scene.proxy.url}/_comet/stream?url=/api/x`, ANNA);
  await lines.next();
  const told = lines.next().then(({ event }) => order.push(`stream: ${event}`));
  let finish = () => {};
  scene.other = (_req, res) => {
    // The head alone: the session is over as soon as the site says so.
    res.write('bye');
    finish = () => res.end();
  };
  const answer = scene.ask('/logout', { ...POST, headers: ANNA }).then(() => order.push('answer'));
  await told;
  finish();
  await answer;
  assert.deepEqual(order, ['stream: unauthorized', 'answer']);
});

test('a plain request after the logout is not answered from the state before it', async (t) => {
  const scene = await startSessions(t, LOGOUT);
  const stream = await openEventStream(t, `${scene.proxy.url}/api/x`, ANNA);
  await stream.next();
  await scene.ask('/logout', { ...POST, headers: ANNA });
  scene.answer = (_req, res) => res.writeHead(401).end();
  assert.equal((await scene.ask('/api/x', { headers: ANNA })).status, 401);
});

test('a request that is held is answered by the site itself', async (t) => {
  const scene = await startSessions(t, LOGOUT);
  const first = await scene.ask('/api/x', { headers: ANNA });
  const etag = first.headers.get('etag') ?? '';
  const held = { ...ANNA, 'if-none-match': etag, prefer: 'wait=50' };
  const { pending } = scene.clock;
  const answer = scene.ask('/api/x', { headers: held });
  await until(() => scene.clock.pending > pending);
  scene.answer = (_req, res) => res.writeHead(401).end();
  await scene.ask('/logout', { ...POST, headers: ANNA });
  assert.equal((await answer).status, 401);
});

test('who logs in again with the same cookie has streams again', async (t) => {
  const scene = await startSessions(t, LOGOUT);
  const url = `${scene.proxy.url}/api/x`;
  const before = await openEventStream(t, url, ANNA);
  await before.next();
  await scene.ask('/logout', { ...POST, headers: ANNA });
  await before.ended;
  await scene.ask('/login', { ...POST, headers: ANNA });
  const after = await openEventStream(t, url, ANNA);
  assert.equal(JSON.parse((await after.next()).data).n, 2);
});

const ENDS: readonly [what: string, path: string, method: string, status: number][] = [
  ['a redirect', '/logout', 'POST', 302],
  ['204', '/logout', 'POST', 204],
  ['a GET that is named', '/logout.php?from=menu', 'GET', 200],
  ['any unsafe method, where none is named', '/api/logout', 'DELETE', 200],
];
for (const [what, path, method, status] of ENDS) {
  test(`it counts as a logout: ${what}`, async (t) => {
    const scene = await startSessions(t, LOGOUT);
    const stream = await openEventStream(t, `${scene.proxy.url}/api/x`, ANNA);
    await stream.next();
    scene.other = (_req, res) => res.writeHead(status, { location: '/' }).end();
    scene.answer = scene.other;
    await scene.ask(path, { method, headers: ANNA });
    const last = await stream.next();
    assert.equal(last.event, 'unauthorized');
    assert.deepEqual(JSON.parse(last.data), { status, reason: 'logout' });
    await stream.ended;
  });
}

const GOES_ON: readonly [what: string, path: string, method: string, status: number][] = [
  ['a logout that is refused', '/logout', 'POST', 403],
  ['a logout that fails', '/logout', 'POST', 500],
  ['another method', '/logout', 'GET', 200],
  ['another path', '/logout/now', 'POST', 200],
  ['a safe method, where none is named', '/api/logout', 'GET', 200],
];
for (const [what, path, method, status] of GOES_ON) {
  test(`it is no logout: ${what}`, async (t) => {
    const scene = await startSessions(t, LOGOUT);
    const stream = await openEventStream(t, `${scene.proxy.url}/api/x`, ANNA);
    await stream.next();
    scene.other = (_req, res) => res.writeHead(status).end();
    await scene.ask(path, { method, headers: ANNA });
    await scene.clock.advance(NEXT_POLL_MS);
    assert.equal((await stream.next()).event, undefined);
  });
}

test('a logout that the site has not answered ends nothing', async (t) => {
  const scene = await startSessions(t, LOGOUT);
  const stream = await openEventStream(t, `${scene.proxy.url}/api/x`, ANNA);
  await stream.next();
  scene.other = (_req, res) => void res.socket?.destroy();
  assert.equal((await scene.ask('/logout', { ...POST, headers: ANNA })).status, 502);
  await scene.clock.advance(NEXT_POLL_MS);
  assert.equal((await stream.next()).event, undefined);
});

/** By what an endpoint is keyed, with what a stream comes, and a logout of somebody else. */
const OTHERS: readonly [what: string, vary: string[], stream: object, logout: object][] = [
  ['another session', ['cookie:SESSION'], ANNA, { cookie: 'SESSION=ben' }],
  ['a session whose name begins alike', ['cookie:SESSION'], ANNA, { cookie: 'SESSION=ann' }],
  ['no session', ['cookie:SESSION'], ANNA, {}],
  ['no session either, of the many that have none', ['cookie:SESSION'], {}, {}],
  ['a session, where the stream has none', ['cookie:SESSION'], {}, ANNA],
  ['another user', ['authorization'], { authorization: 'Basic YQ==' }, ANNA],
  ['one of two credentials', ['cookie', 'authorization'], { ...ANNA, authorization: 'x' }, ANNA],
  ['one credential more', ['cookie', 'authorization'], ANNA, { ...ANNA, authorization: 'x' }],
  ['another key', ['x-api-key'], { 'x-api-key': '1' }, { 'x-api-key': '2' }],
  ['the same address', ['ip'], ANNA, ANNA],
  ['the same language', ['accept-language'], { 'accept-language': 'de' }, ANNA],
  ['the same query', ['query:q'], ANNA, ANNA],
  ['the same cookie, of a public endpoint', [], ANNA, ANNA],
];
for (const [whose, vary, streamHeaders, logoutHeaders] of OTHERS) {
  test(`a logout with ${whose} leaves a stream alone that is keyed by [${vary}]`, async (t) => {
    const scene = await startSessions(t, LOGOUT, { vary });
    const url = `${scene.proxy.url}/api/x`;
    const stream = await openEventStream(t, url, { ...streamHeaders });
    await stream.next();
    await scene.ask('/logout', { ...POST, headers: { ...logoutHeaders } });
    await scene.clock.advance(NEXT_POLL_MS);
    assert.equal((await stream.next()).event, undefined);
  });
}

/** A logout is another kind of request than a poll: it comes from a form, by a navigation. */
const SAME: readonly [what: string, vary: string[], stream: object, logout: object][] = [
  [
    'with other cookies besides',
    ['cookie:SESSION'],
    { cookie: 'SESSION=a; x=1' },
    { cookie: 'y=2; SESSION=a' },
  ],
  ['by an API key', ['x-api-key'], { 'x-api-key': '1' }, { 'x-api-key': '1' }],
  ['by a header of a pattern', ['x-auth-*'], { 'x-auth-me': '1' }, { 'x-auth-me': '1' }],
  [
    'that accepts other types',
    ['cookie:SESSION', 'accept-language'],
    { ...ANNA, 'accept-language': 'de' },
    ANNA,
  ],
  ['by the whole Cookie header', ['cookie', 'authorization'], ANNA, ANNA],
];
for (const [how, vary, streamHeaders, logoutHeaders] of SAME) {
  test(`a logout ${how} is one of a stream that is keyed by [${vary}]`, async (t) => {
    const scene = await startSessions(t, LOGOUT, { vary });
    const stream = await openEventStream(t, `${scene.proxy.url}/api/x`, { ...streamHeaders });
    await stream.next();
    await scene.ask('/logout', { ...POST, headers: { ...logoutHeaders } });
    assert.equal((await stream.next()).event, 'unauthorized');
  });
}

test('all URLs of the session end, and no other URL of a stream of several', async (t) => {
  const scene = await startSessions(t, {
    ...LOGOUT,
    live: {
      '/api/mine': { every: '10s', vary: ['cookie:SESSION'] },
      '/api/mine/too': { every: '10s', vary: ['cookie'] },
      '/api/public': { every: '10s', vary: [] },
    },
  });
  const urls = ['/api/mine', '/api/mine/too', '/api/public'];
  const query = `?${urls.map((url) => `url=${url}`).join('&')}`;
  const socket = await openEnvelopes(t, scene.proxy.url, query, { headers: ANNA });
  const lines = await openLines(t, `${scene.proxy.url}/_comet/stream${query}`, ANNA);
  for (const reader of [socket, lines]) for (const _ of urls) await reader.next();
  await scene.ask('/logout', { ...POST, headers: ANNA });
  for (const reader of [socket, lines]) {
    const ended = [await reader.next(), await reader.next()];
    assert.deepEqual(ended.map(({ url, event }) => `${url} ${event}`).sort(), [
      '/api/mine unauthorized',
      '/api/mine/too unauthorized',
    ]);
  }
  await scene.clock.advance(NEXT_POLL_MS);
  for (const reader of [socket, lines]) {
    const { url, event } = await reader.next();
    assert.deepEqual([url, event], ['/api/public', 'snapshot']);
  }
});

test('a logout below a live path is passed through, and never polled', async (t) => {
  const scene = await startSessions(t, { logoutOn: ['GET /api/logout'] });
  const stream = await openEventStream(t, `${scene.proxy.url}/api/x`, ANNA);
  await stream.next();
  await scene.ask('/api/logout', { headers: ANNA });
  assert.equal((await stream.next()).event, 'unauthorized');
  const asked = scene.site.requests.filter(({ url }) => url === '/api/logout');
  assert.deepEqual(
    asked.map(({ headers }) => headers['user-agent']?.startsWith('comet-proxy/')),
    [false],
  );
});

test('of a state that all sessions share only the session that logs out is shown no more', async (t) => {
  const scene = await startSessions(t, LOGOUT, { vary: [], authorizedBy: ['cookie:SESSION'] });
  let n = 0;
  scene.answer = (_req, res) => {
    n += 1;
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ n }));
  };
  const url = `${scene.proxy.url}/api/x`;
  const anna = await openEventStream(t, url, ANNA);
  await anna.next();
  const ben = await openEventStream(t, url, { cookie: 'SESSION=ben' });
  await ben.next();
  await scene.ask('/logout', { ...POST, headers: ANNA });
  const last = await anna.next();
  assert.deepEqual([last.event, JSON.parse(last.data)], ['unauthorized', TOLD]);
  await anna.ended;
  const known = ben.items.length;
  const { length: asked } = scene.site.requests;
  await scene.clock.advance(3 * NEXT_POLL_MS);
  await until(() => ben.items.length > known);
  const polls = scene.site.requests.slice(asked);
  assert.ok(polls.every(({ headers }) => headers.cookie === 'SESSION=ben'));
});
