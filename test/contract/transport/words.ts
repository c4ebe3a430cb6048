import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import type { Client } from './clients.ts';
import { isLongPoll } from './clients.ts';
import { read } from './reader.ts';
import { rulesOf } from './rule.ts';
import { openSite } from './site.ts';

const NO_WORDS = 'a bare WebSocket carries bodies only';
const FAILING = { status: 503, body: 'down' };

const LAST_WORDS = [
  { word: 'unauthorized', status: 401, closeCode: 4401 },
  { word: 'gone', status: 410, closeCode: 4410 },
] as const;

/** What is told besides the state. */
export function testWords(client: Client): void {
  const rule = rulesOf(client);
  const isSession = client.transport === 'ws' && !client.isBare;
  const asked = { '/api/x': undefined };

  rule(
    'that the site fails is told once, and that it works again',
    async (t) => {
      const site = await openSite(t);
      site.putJson('/api/x', 1);
      const reader = read(t, client, site, asked);
      await reader.next();
      site.put('/api/x', FAILING);
      const stale = await reader.next();
      assert.equal(stale.event, 'stale');
      assert.deepEqual(stale.data, { code: 'UPSTREAM_STATUS', status: 503 });
      // While it fails on: a long poll that repeats the id of the `stale` waits.
      const polls = site.upstream.requests.length;
      await until(() => site.upstream.requests.length >= polls + 2);
      await until(() => site.proxy.streamCount === 1);
      if (isLongPoll(client)) assert.equal(reader.requests, 3);
      site.putJson('/api/x', 1);
      const fresh = await reader.next();
      assert.deepEqual([fresh.event, fresh.data], ['fresh', {}]);
      site.putJson('/api/x', 2);
      await reader.next();
      assert.deepEqual(
        reader.events.map(({ event }) => event),
        ['snapshot', 'stale', 'fresh', 'snapshot'],
      );
    },
    !client.hasWords && NO_WORDS,
  );

  rule(
    'who begins while the site fails is told so, and the state when there is one',
    async (t) => {
      const site = await openSite(t);
      site.put('/api/x', FAILING);
      const reader = read(t, client, site, asked);
      assert.equal((await reader.next()).event, 'stale');
      const polls = site.upstream.requests.length;
      await until(() => site.upstream.requests.length >= polls + 2);
      site.putJson('/api/x', 1);
      const told = [await reader.next(), await reader.next()];
      assert.deepEqual(
        told.map(({ event, data }) => [event, data]),
        [
          ['snapshot', 1],
          ['fresh', {}],
        ],
      );
      assert.equal(reader.events.length, 3);
    },
    !client.hasWords && NO_WORDS,
  );

  rule(
    'who was told that the site fails and comes back is told only that it works again',
    async (t) => {
      const site = await openSite(t);
      site.putJson('/api/x', 1);
      const before = read(t, client, site, asked);
      await before.next();
      site.put('/api/x', FAILING);
      const { id } = await before.next();
      const during = read(t, client, site, { '/api/x': id });
      await until(() => during.requests === 1 && site.proxy.streamCount === 2);
      site.putJson('/api/x', 1);
      for (const reader of [before, during]) assert.equal((await reader.next()).event, 'fresh');
      const after = await read(t, client, site, { '/api/x': id }).next();
      assert.deepEqual([after.event, after.data], ['fresh', {}]);
    },
    (!client.hasWords && NO_WORDS) || (client.isBare && 'there the word has no id'),
  );

  rule(
    'a state that changed while the site failed is told before it is said to be fresh',
    async (t) => {
      const site = await openSite(t);
      site.putJson('/api/x', 1);
      const reader = read(t, client, site, asked);
      await reader.next();
      site.put('/api/x', FAILING);
      await reader.next();
      site.putJson('/api/x', 2);
      const told = [await reader.next(), await reader.next()];
      assert.deepEqual(
        told.map(({ event }) => event),
        ['snapshot', 'fresh'],
      );
      assert.equal(told[0]?.data, 2);
    },
    !client.hasWords && NO_WORDS,
  );

  for (const { word, status, closeCode } of LAST_WORDS) {
    rule(`${word} is the last word`, async (t) => {
      const site = await openSite(t);
      site.putJson('/api/x', 1);
      const reader = read(t, client, site, asked);
      await reader.next();
      site.put('/api/x', { status, body: 'no' });
      if (client.hasWords) {
        const last = await reader.next();
        assert.deepEqual([last.event, last.data], [word, { status }]);
      }
      if (isSession) {
        site.putJson('/api/x', 2);
        reader.say({ subscribe: '/api/x' });
        const { event, data } = await reader.next();
        assert.deepEqual([event, data], ['snapshot', 2], 'the connection stays open');
        return;
      }
      const ending = await reader.ended;
      const isSocket = client.transport === 'ws';
      assert.deepEqual(ending, isSocket ? { closeCode } : {});
      await until(() => site.proxy.streamCount === 0);
      const lastEvent = reader.heard.findLastIndex(({ kind }) => kind === 'event');
      const hints = reader.heard.slice(lastEvent + 1).filter(({ kind }) => kind === 'retry');
      assert.deepEqual(hints, [], 'and there is no hint to come back');
    });
  }

  rule(
    'a last word of one URL leaves the others, and that of the last ends the stream',
    async (t) => {
      const site = await openSite(t);
      site.putJson('/api/x', 1);
      site.putJson('/api/y', 1);
      const reader = read(t, client, site, { '/api/x': undefined, '/api/y': undefined });
      await reader.next();
      await reader.next();
      site.put('/api/x', { status: 410, body: '' });
      const last = await reader.next();
      assert.deepEqual([last.url, last.event], ['/api/x', 'gone']);
      site.putJson('/api/y', 2);
      const other = await reader.next();
      assert.deepEqual([other.url, other.data], ['/api/y', 2]);
      site.put('/api/y', { status: 403, body: '' });
      const end = await reader.next();
      assert.deepEqual([end.url, end.event], ['/api/y', 'unauthorized']);
      if (!isSession) assert.deepEqual(await reader.ended, {});
    },
    !client.isShared && 'it carries one URL',
  );

  rule('a proxy that shuts down says when to come back', async (t) => {
    const site = await openSite(t);
    site.putJson('/api/x', 1);
    const reader = read(t, client, site, asked);
    await reader.next();
    await until(() => site.proxy.streamCount === 1);
    await site.proxy.drain();
    const ending = await reader.ended;
    if (client.transport === 'ws') assert.deepEqual(ending, { closeCode: 1012 });
    else assert.deepEqual(ending, {});
    const last = reader.heard.at(-1);
    if (!client.hasWords) return;
    assert.ok(last?.kind === 'retry' && last.retryMs >= 1_000, JSON.stringify(last));
  });
}
