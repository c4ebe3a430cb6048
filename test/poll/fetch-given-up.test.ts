import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { until } from '../support/until.ts';
import { rejects, setUp } from './fetch-setup.ts';

test('a poll times out in the head, and hangs up', async (t) => {
  const closed: Promise<unknown>[] = [];
  const { upstream, clock, get } = await setUp(t, (_req, res) => {
    closed.push(once(res, 'close'));
  });
  const poll = rejects(get({ timeoutMs: 5_000 }), 'UPSTREAM_TIMEOUT');
  await until(() => upstream.requests.length === 1);
  await clock.advance(5_000);
  await poll;
  await Promise.all(closed);
  assert.equal(clock.pending, 0);
});

test('a poll times out in the body too: the limit is for the whole exchange', async (t) => {
  const { upstream, clock, get } = await setUp(t, (_req, res) => res.write('half'));
  const poll = rejects(get({ timeoutMs: 5_000 }), 'UPSTREAM_TIMEOUT');
  await until(() => upstream.requests.length === 1);
  await clock.advance(4_999);
  await clock.advance(1);
  await poll;
});

test('a poll that timed out while it waited for a connection is never sent', async (t) => {
  const waiting: ServerResponse[] = [];
  const { upstream, clock, get } = await setUp(t, (_req, res) => void waiting.push(res), 1);
  const first = get({ target: '/first', timeoutMs: 60_000 });
  await until(() => waiting.length === 1);
  const second = rejects(get({ target: '/second', timeoutMs: 1_000 }), 'UPSTREAM_TIMEOUT');
  await clock.advance(1_000);
  await second;
  const third = get({ target: '/third', timeoutMs: 60_000 });
  waiting[0]?.end('1');
  await first;
  await until(() => waiting.length === 2);
  waiting[1]?.end('2');
  await until(() => upstream.count('/third') === 1 || waiting.length === 3);
  assert.deepEqual(
    upstream.requests.map(({ url }) => url),
    ['/first', '/third'],
  );
  await third;
});

test('a poll that is abandoned hangs up, and leaves no timer', async (t) => {
  const closed: Promise<unknown>[] = [];
  const { upstream, clock, get } = await setUp(t, (_req, res) => {
    closed.push(once(res, 'close'));
  });
  const controller = new AbortController();
  const poll = rejects(get({}, controller.signal), 'UPSTREAM_RESET');
  await until(() => upstream.requests.length === 1);
  controller.abort();
  await poll;
  await Promise.all(closed);
  assert.equal(clock.pending, 0);
});

test('a poll that is abandoned before it starts is never sent', async (t) => {
  const { upstream, get } = await setUp(t, (_req, res) => res.end());
  await rejects(get({ target: '/never' }, AbortSignal.abort()), 'UPSTREAM_RESET');
  await get({ target: '/next' });
  assert.equal(upstream.count('/never'), 0);
});
