import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { openEnvelopes } from '../flow/socket-client.ts';
import { startStates } from '../flow/states-site.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { openLines } from '../support/stream-client.ts';
import { until } from '../support/until.ts';

/*
 * Each limit can be reached; then plain requests pass through, streams are refused, and whoever
 * stays within it is not disturbed.
 */

const FROM = (address: string) => ({ 'x-forwarded-for': address });
const MALLORY = FROM('203.0.113.66');
const ALICE = FROM('198.51.100.1');

async function scene(t: TestContext, limits: object, endpoint: object = {}) {
  const clock = createFakeClock();
  const site = await startStates(t, { '/x': '1', '/y': '1' });
  const shared = { every: '1h', vary: [], linger: '5s', ...endpoint };
  const live = { '/x': shared, '/y': shared };
  const trustedProxies = ['127.0.0.1'];
  const config = { site: site.url, live, trustedProxies, limits };
  const proxy = await startTestProxy(t, config, clock);
  const stream = (path: string, headers: Record<string, string> = {}) =>
    openLines(t, `${proxy.url}/_comet/stream?url=${encodeURIComponent(path)}`, headers);
  /** The same where it is refused. */
  const ask = (path: string, headers: Record<string, string> = {}, transport = 'stream') =>
    fetch(`${proxy.url}/_comet/${transport}?url=${encodeURIComponent(path)}`, { headers });
  const warnings = () => proxy.lines.filter(({ level }) => level === 'warn');
  return { clock, site, proxy, stream, ask, warnings };
}

interface Case {
  readonly limit: string;
  readonly limits: object;
  readonly endpoint?: object;
  /** What reaches it, and what is one too many. */
  readonly fill: readonly [path: string, headers: Record<string, string>][];
  readonly more: readonly [path: string, headers: Record<string, string>];
  readonly status: number;
  readonly code: string;
  /** What may go on all the same. */
  readonly others: readonly [path: string, headers: Record<string, string>][];
  readonly told: object;
}

const CASES: readonly Case[] = [
  {
    limit: 'channelsPerAddress',
    limits: { channelsPerAddress: 2 },
    fill: [
      ['/x?1', MALLORY],
      ['/y?2', MALLORY],
    ],
    more: ['/x?3', MALLORY],
    status: 429,
    code: 'TOO_MANY_CHANNELS_FOR_ADDRESS',
    others: [
      ['/x?3', ALICE],
      ['/x?1', MALLORY],
      ['/x?3', MALLORY], // by now somebody else has asked for it
    ],
    told: { address: '203.0.113.66' },
  },
  {
    limit: 'channelsPerEndpoint',
    limits: { channelsPerEndpoint: 2 },
    endpoint: { vary: ['cookie:id'] },
    fill: [
      ['/x', { cookie: 'id=1' }],
      ['/x', { cookie: 'id=2' }],
    ],
    more: ['/x', { cookie: 'id=3' }],
    status: 503,
    code: 'TOO_MANY_CHANNELS',
    others: [
      ['/x', { cookie: 'id=1' }],
      ['/y', { cookie: 'id=3' }],
    ],
    told: { endpoint: '/x' },
  },
  {
    limit: 'queriesPerEndpoint',
    limits: { queriesPerEndpoint: 2 },
    endpoint: { vary: ['cookie:id'] },
    fill: [
      ['/x?1', {}],
      ['/x?2', {}],
    ],
    more: ['/x?3', {}],
    status: 503,
    code: 'TOO_MANY_CHANNELS',
    others: [
      ['/x?1', { cookie: 'id=1' }],
      ['/x?2&_=17', {}],
      ['/y?3', {}],
    ],
    told: { endpoint: '/x' },
  },
  {
    limit: 'channels',
    limits: { channels: 2 },
    fill: [
      ['/x?1', {}],
      ['/y', {}],
    ],
    more: ['/x?2', {}],
    status: 503,
    code: 'TOO_MANY_CHANNELS',
    others: [['/x?1', {}]],
    told: {},
  },
  {
    limit: 'subscribersPerChannel',
    limits: { subscribersPerChannel: 2 },
    fill: [
      ['/x', {}],
      ['/x', {}],
    ],
    more: ['/x', {}],
    status: 503,
    code: 'TOO_MANY_SUBSCRIBERS',
    others: [['/y', {}]],
    told: { endpoint: '/x', url: '/x' },
  },
];

for (const { limit, limits, endpoint, fill, more, status, code, others, told } of CASES) {
  const [path, headers] = more;
  const setUp = async (t: TestContext) => {
    const all = await scene(t, limits, endpoint);
    const open = [];
    for (const [filled, by] of fill) open.push(await all.stream(filled, by));
    for (const one of open) assert.equal((await one.next())['event'], 'snapshot');
    return { ...all, open };
  };

  test(`${limit}: a stream above it is refused with ${status} and Retry-After`, async (t) => {
    const { ask, proxy, site } = await setUp(t);
    const asked = site.requests.length;
    const refused = await ask(path, headers);
    assert.equal(refused.status, status);
    assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
    assert.match(await refused.text(), new RegExp(`^${code}: `));
    const inBand = await ask(path, headers, 'sse');
    assert.match(await inBand.text(), new RegExp(`^:${code}\nretry: \\d+\n`));
    await assert.rejects(
      openEnvelopes(t, proxy.url, `?url=${encodeURIComponent(path)}`, { headers }),
      new RegExp(String(status)),
    );
    const socket = await openEnvelopes(t, proxy.url, '', { headers });
    socket.say({ subscribe: path });
    const { event, data } = await socket.next();
    assert.deepEqual([event, (data as { code: string }).code], ['error', code]);
    assert.equal(site.requests.length, asked, 'the site is asked for none of it');
  });

  test(`${limit}: a plain request above it is answered`, async (t) => {
    const { proxy } = await setUp(t);
    const answer = await fetch(`${proxy.url}${path}`, { headers });
    assert.deepEqual([answer.status, await answer.text()], [200, '1']);
  });

  test(`${limit}: others are not disturbed, and when there is room again there is room`, async (t) => {
    const { stream, ask, open, site, clock, proxy } = await setUp(t);
    assert.equal((await ask(path, headers)).status, status);
    for (const [other, by] of others) {
      const opened = await stream(other, by);
      assert.equal(opened.status, 200, other);
      assert.equal((await opened.next())['event'], 'snapshot');
      opened.close();
    }
    for (const changed of ['/x', '/y']) {
      site.set(changed, '2');
      await (await fetch(`${proxy.url}${changed}`, { method: 'POST' })).text();
    }
    await clock.advance(1_000);
    for (const [i, one] of open.entries()) {
      // A write is one of the path with all of its queries.
      assert.equal((await one.next())['data'], 2, String(i));
      one.close();
    }
    await until(() => proxy.streamCount === 0);
    await clock.advance(5_000);
    const again = await stream(path, headers);
    assert.equal(again.status, 200);
    assert.equal((await again.next())['data'], 2);
  });

  test(`${limit}: the log says once a minute that it is reached, and by what`, async (t) => {
    const { ask, warnings, clock } = await setUp(t);
    for (let i = 0; i < 5; i++) await (await ask(path, headers)).text();
    const [line, ...rest] = warnings();
    assert.equal(line?.message, `limits.${limit} is reached`);
    const { channel: _name, ...fields } = line?.fields ?? {};
    assert.deepEqual(fields, { limit, ...told });
    assert.deepEqual(rest, []);
    await clock.advance(60_000);
    await (await ask(path, headers)).text();
    const next = warnings().filter(({ fields: each }) => each['limit'] === limit)[1];
    assert.equal(next?.fields['refusedSince'], 4);
  });
}

test('a request is not held above subscribersPerChannel, but answered at once', async (t) => {
  const { proxy, stream } = await scene(t, { subscribersPerChannel: 1 });
  const first = await fetch(`${proxy.url}/x`);
  const etag = first.headers.get('etag') ?? '';
  await stream('/x', { host: new URL(proxy.url).host });
  const headers = { 'if-none-match': etag, prefer: 'wait=20' };
  assert.equal((await fetch(`${proxy.url}/x`, { headers })).status, 304);
});

test('the different bodies of POST polls count as different queries', async (t) => {
  const { proxy } = await scene(
    t,
    { queriesPerEndpoint: 2 },
    { method: 'POST', every: '1h', linger: '1h' },
  );
  const query = (body: string) =>
    `?url=${encodeURIComponent('/x')}&method=POST&contentType=application/json&body=${body}`;
  const headers = { 'sec-fetch-site': 'same-origin' };
  const open = (body: string) => fetch(`${proxy.url}/_comet/stream${query(body)}`, { headers });
  const statuses = [];
  for (const body of ['1', '2', '3', '1']) statuses.push((await open(body)).status);
  assert.deepEqual(statuses, [200, 200, 503, 200]);
});
