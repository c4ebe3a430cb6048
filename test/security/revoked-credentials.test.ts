import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { BARE_SSE, BARE_WS, CLIENTS } from '../contract/transport/clients.ts';
import { read } from '../contract/transport/reader.ts';
import { until } from '../support/until.ts';
import { EVERY_MS, NEXT_POLL_MS, startSessions } from './session-scene.ts';

/*
 * Credentials that are withdrawn while a stream is open: the next poll finds it out, after which
 * nothing is shown of what they once gave, and the site is not asked with them any more.
 */

const ANNA = { cookie: 'SESSION=anna' };
const BEN = { cookie: 'SESSION=ben' };

const REVOCATIONS: readonly [how: string, answer: (res: ServerResponse) => void, status: number][] =
  [
    ['401', (res) => res.writeHead(401).end('log in'), 401],
    ['403', (res) => res.writeHead(403).end('no'), 403],
    ['a redirect', (res) => res.writeHead(302, { location: '/login' }).end(), 302],
    [
      'a login page where JSON was',
      (res) => res.setHeader('content-type', 'text/html').end('<h1>log in</h1>'),
      200,
    ],
  ];

for (const client of [...Object.values(CLIENTS), BARE_SSE, BARE_WS]) {
  for (const [how, answer, status] of REVOCATIONS) {
    test(`${client.name}: after ${how} no data comes, and no poll goes out`, async (t) => {
      // Between two long polls nobody is there, for as long as the machine takes.
      const scene = await startSessions(t, {}, { linger: '1h' });
      const { answer: asEver } = scene;
      const asked = { '/api/x': undefined };
      const anna = read(t, client, scene, asked, ANNA);
      const ben = read(t, client, scene, asked, BEN);
      for (const reader of [anna, ben]) await reader.next();
      for (let polls = 2; polls <= 3; polls++) {
        await scene.clock.advance(NEXT_POLL_MS);
        for (const reader of [anna, ben]) await reader.next();
      }
      const known = anna.events.length;
      let pollsOfAnna = 0;
      scene.answer = (req, res) => {
        if (req.headers.cookie !== ANNA.cookie) return asEver(req, res);
        pollsOfAnna += 1;
        answer(res);
      };
      await scene.clock.advance(NEXT_POLL_MS);
      if (client.hasWords) {
        const last = await anna.next();
        assert.deepEqual([last.event, last.data], ['unauthorized', { status }]);
      } else {
        assert.equal((await anna.ended).closeCode, 4401);
      }
      // A client that comes back by itself is told the same of its own request.
      await until(() => scene.proxy.streamCount <= 2);
      const before = pollsOfAnna;
      for (let polls = 0; polls < 3; polls++) {
        await scene.clock.advance(NEXT_POLL_MS);
        await ben.next();
      }
      assert.equal(pollsOfAnna, before);
      const later = anna.events.slice(known).map(({ event }) => event);
      assert.ok(!later.includes('snapshot') && !later.includes('patch'), String(later));
    });
  }
}

test('when the last one has left polls go on for the linger, and then none goes out', async (t) => {
  const scene = await startSessions(t);
  const reader = read(t, CLIENTS.stream, scene, { '/api/x': undefined }, ANNA);
  await reader.next();
  reader.close();
  await until(() => scene.proxy.streamCount === 0);
  await scene.clock.advance(5_000);
  const { polls } = scene;
  await scene.clock.advance(10 * EVERY_MS);
  assert.equal(scene.polls, polls);
});

test('a channel that rests shows nothing before a poll has found the credentials still good', async (t) => {
  const scene = await startSessions(t);
  const before = read(t, CLIENTS.stream, scene, { '/api/x': undefined }, ANNA);
  const { id } = await before.next();
  before.close();
  await until(() => scene.proxy.streamCount === 0);
  await scene.clock.advance(6_000);
  scene.answer = (_req, res) => res.writeHead(401).end();
  const after = read(t, CLIENTS.stream, scene, { '/api/x': id }, ANNA);
  assert.equal((await after.next()).event, 'unauthorized');
  assert.deepEqual(
    after.events.map(({ event }) => event),
    ['unauthorized'],
  );
  assert.equal((await scene.ask('/api/x', { headers: ANNA })).status, 401);
});
