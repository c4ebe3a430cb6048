import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { request } from 'undici';
import type { Clock } from '../../src/shared/clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { openEventStream } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';
import type { TestEdge } from '../support/workers.ts';
import { startTestWorkers } from '../support/workers.ts';

/*
 * A hub that polls and two edges that face clients are one proxy: whichever edge a client comes to.
 */

/** What browsers have it by, whichever edge their connections come to. */
const HOST = 'site.test';

/** Ask an edge for this, as in `GET /api/x`. */
async function ask(edge: TestEdge, line: string, headers: Record<string, string> = {}) {
  const [method = '', path] = line.split(' ');
  // fetch() sets the host itself.
  const answer = await request(`${edge.url}${path}`, {
    method: method as 'GET',
    headers: { host: HOST, ...headers },
  });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}

/** A site with one state, and a proxy of a hub and two edges before it. */
async function scene(
  t: TestContext,
  endpoint: Record<string, unknown> = {},
  config: Record<string, unknown> = {},
  clock?: Clock,
) {
  const site = { value: 0, status: 200, onGet: () => undefined as unknown };
  let held: Promise<void> | undefined;
  const upstream = await startUpstream(t, async (req, res) => {
    if (req.method === 'POST') await held;
    if (req.method === 'GET') site.onGet();
    else if (req.url !== '/logout') site.value += 1;
    res.statusCode = site.status;
    res.setHeader('content-type', 'application/json').end(String(site.value));
  });
  const live = { '/api/:n': { every: '50ms', vary: [], ...endpoint } };
  const workers = await startTestWorkers(t, { site: upstream.url, live, ...config }, { clock });
  const [a, b] = workers.edges as readonly [TestEdge, TestEdge];
  const follow = (edge: TestEdge, headers: Record<string, string> = {}) =>
    openEventStream(t, `${edge.url}/api/x`, { host: HOST, ...headers });
  const read = async (edge: TestEdge) => (await ask(edge, 'GET /api/x')).text;
  /** Answers to writes wait until the result is called. */
  const hold = () => {
    let finish: () => void = () => undefined;
    held = new Promise((resolve) => {
      finish = resolve;
    });
    return finish;
  };
  return { site, upstream, workers, a, b, follow, read, hold };
}

test('a state is polled once, however many edges show it', async (t) => {
  const { site, a, b, follow } = await scene(t);
  // Each poll gets a state of its own: two loops would show each edge what the other one misses.
  site.onGet = () => {
    site.value += 1;
  };
  const streams = [await follow(a), await follow(b), await follow(b)];
  const last = await Promise.all(
    streams.map(async (stream) => {
      let data = '';
      while (Number(data) < 12) ({ data } = await stream.next());
      return stream.items.map((item) => [item.id, Number(item.data)]);
    }),
  );
  const [longest = []] = last.toSorted((x, y) => y.length - x.length);
  for (const items of last) {
    const start = longest.findIndex(([id]) => id === items[0]?.[0]);
    const common = longest.slice(start, start + items.length);
    assert.deepEqual(items.slice(0, common.length), common);
  }
  assert.deepEqual(
    longest.map(([, value]) => value),
    longest.map((_, index) => Number(longest[0]?.[1]) + index),
  );
});

test('a cursor that one edge gave resumes at another, without loss or repetition', async (t) => {
  const { site, a, b, follow } = await scene(t);
  const witness = await follow(a);
  await witness.next();
  const ids: string[] = [];
  for (const value of [1, 2, 3]) {
    site.value = value;
    ids.push((await witness.next()).id ?? '');
  }
  // The edge has never shown it.
  const back = await follow(b, { 'last-event-id': ids[0] ?? '' });
  assert.deepEqual([(await back.next()).data, (await back.next()).data], ['2', '3']);
});

test('an edge that comes later shows the state without a poll', async (t) => {
  const { upstream, a, b, follow } = await scene(t, { every: '1h' });
  await (await follow(a)).next();
  assert.equal((await (await follow(b)).next()).data, '0');
  assert.equal(upstream.count('/api/x'), 1);
});

test('plain requests at all edges share one poll', async (t) => {
  const { upstream, a, b, read } = await scene(t, { every: '1h', linger: '1h' });
  assert.deepEqual(await Promise.all([a, b, a, b].map(read)), ['0', '0', '0', '0']);
  assert.equal(upstream.count('/api/x'), 1);
});

test('a write through one edge is pushed through all of them, and read there', async (t) => {
  const { a, b, follow, read } = await scene(t, { every: '1h' });
  const streams = [await follow(a), await follow(b)];
  for (const stream of streams) await stream.next();
  await ask(a, 'POST /api/x');
  assert.equal(await read(b), '1');
  for (const stream of streams) assert.equal((await stream.next()).data, '1');
});

test('polls end with the last stream of all edges', async (t) => {
  const { upstream, a, b, follow } = await scene(t, { linger: '0s' });
  const first = await follow(a);
  await first.next();
  const second = await follow(b);
  await second.next();
  first.close();
  await until(() => a.streamCount === 0);
  const polled = upstream.count('/api/x');
  await until(() => upstream.count('/api/x') > polled + 2);
  second.close();
  await until(() => b.streamCount === 0);
  const atTheEnd = upstream.count('/api/x');
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(upstream.count('/api/x') <= atTheEnd + 1, 'one may have been under way');
});

test('a client that the site refuses is told so at every edge, and what it polls passes', async (t) => {
  const { site, a, b, follow } = await scene(t, { vary: ['cookie:S'] });
  const streams = [await follow(a), await follow(b)];
  for (const stream of streams) await stream.next();
  site.status = 401;
  for (const stream of streams) {
    while ((await stream.next()).event !== 'unauthorized');
    await stream.ended;
  }
  for (const edge of [a, b]) assert.equal((await ask(edge, 'GET /api/x')).status, 401);
});

test('a logout through one edge ends the streams of that session at all, and of no other', async (t) => {
  const config = { logoutOn: ['POST /logout'] };
  const { a, b, follow } = await scene(t, { vary: ['cookie:S'], every: '1h' }, config);
  const anna = await follow(b, { cookie: 'S=anna' });
  const berta = await follow(b, { cookie: 'S=berta' });
  await Promise.all([anna.next(), berta.next()]);
  assert.equal((await ask(a, 'POST /logout', { cookie: 'S=anna' })).status, 200);
  assert.equal((await anna.next()).event, 'unauthorized');
  await anna.ended;
  await ask(a, 'POST /api/x');
  assert.equal((await berta.next()).data, '1');
});

test('a first poll is not held by one edge when its page was loaded through another', async (t) => {
  const { a, b } = await scene(t, { polls: 'hold', hold: '50s', every: '1h' });
  const etag = String((await ask(a, 'GET /api/x')).headers['etag']);
  await ask(b, 'GET /page', { accept: 'text/html', 'sec-fetch-mode': 'navigate' });
  // It tells the hub, which tells the other edge: so does this.
  await ask(b, 'POST /api/x');
  await ask(b, 'GET /api/x');
  const { status } = await ask(a, 'GET /api/x', { 'if-none-match': etag });
  assert.equal(status, 200);
});

test('the one who runs the proxy is told of all edges together', async (t) => {
  const { workers, a, b, follow } = await scene(t, { every: '1h' }, { admin: '127.0.0.1:0' });
  for (const edge of [a, b, b]) await (await follow(edge)).next();
  const question = { url: `http://${HOST}/api/x` };
  const answer = await fetch(`${workers.hub.adminUrl}/_comet/explain`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(question),
  });
  const told = (await answer.json()) as { channel?: { subscribers: unknown } };
  assert.deepEqual(told.channel?.subscribers, { 'sse-bare': 3 });
});

test('while nobody polls, plain requests go to the site', async (t) => {
  const { upstream, workers, a, read } = await scene(t, { every: '1h', linger: '1h' });
  assert.equal(await read(a), '0');
  await workers.stopHub();
  const seen = upstream.count('/api/x');
  assert.equal(await read(a), '0');
  assert.equal(upstream.count('/api/x'), seen + 1);
});

test('another hub goes on where the one that ended was: streams notice nothing', async (t) => {
  const { site, upstream, workers, a, b, follow } = await scene(t, { every: '1h' });
  const streams = [await follow(a), await follow(b)];
  const [first] = await Promise.all(streams.map((stream) => stream.next()));
  await workers.stopHub();
  const polled = upstream.count('/api/x');
  await workers.startHub();
  await until(() => upstream.count('/api/x') === polled + 1);
  await ask(a, 'POST /api/x');
  for (const stream of streams) assert.equal((await stream.next()).data, '1');
  const back = await follow(b, { 'last-event-id': first?.id ?? '' });
  assert.equal((await back.next()).data, '1');
  assert.equal(site.value, 1);
});

test('what has changed while there was no hub is told by the next one', async (t) => {
  const { site, workers, a, follow } = await scene(t);
  const stream = await follow(a);
  await stream.next();
  await workers.stopHub();
  site.value = 7;
  await workers.startHub();
  assert.equal((await stream.next()).data, '7');
  assert.deepEqual(
    stream.items.map(({ event }) => event),
    [undefined, undefined],
  );
});

test('a write that is under way while the hub is replaced is seen by all edges', async (t) => {
  const { upstream, workers, a, b, follow, hold } = await scene(t, { every: '1h' });
  const stream = await follow(b);
  await stream.next();
  const finish = hold();
  const write = ask(a, 'POST /api/x');
  await until(() => upstream.requests.at(-1)?.method === 'POST');
  await workers.stopHub();
  const polled = upstream.count('/api/x');
  await workers.startHub();
  await until(() => upstream.count('/api/x') > polled);
  finish();
  await write;
  assert.equal((await stream.next()).data, '1');
});

test('clients are told when there is no hub for longer, those who come then too', async (t) => {
  const clock = createFakeClock();
  const { workers, a, b, follow } = await scene(t, { every: '1h' }, {}, clock);
  const early = await follow(a);
  await early.next();
  await workers.stopHub();
  // Losing it is noticed by the end of a connection.
  await until(() => clock.pending > 0);
  let isTold = false;
  void early.next().then(({ event, data }) => {
    assert.deepEqual([event, JSON.parse(data).code], ['stale', 'NOT_POLLED']);
    isTold = true;
  });
  while (!isTold) await clock.advance(500);
  const late = await follow(b);
  assert.equal((await late.next()).event, 'stale');
  await workers.startHub();
  const back: unknown[] = [];
  void early.next().then(({ event }) => back.push(event));
  while (back.length === 0) await clock.advance(500);
  assert.deepEqual(back, ['fresh']);
});

test('every client gets its own state, whichever edge it comes to', async (t) => {
  const upstream = await startUpstream(t, (req, res) =>
    res.setHeader('content-type', 'text/plain').end(req.headers.cookie ?? 'nobody'),
  );
  const live = { '/api/:n': { every: '50ms', vary: ['cookie:S'] } };
  const { edges } = await startTestWorkers(t, { site: upstream.url, live });
  const readers = Array.from({ length: 20 }, async (_, index) => {
    const cookie = `S=${index % 7}`;
    const edge = edges[index % 2] as TestEdge;
    const stream = await openEventStream(t, `${edge.url}/api/x`, { cookie });
    assert.equal((await stream.next()).data, cookie);
    const plain = await fetch(`${edge.url}/api/x`, { headers: { cookie } });
    assert.equal(await plain.text(), cookie);
  });
  await Promise.all(readers);
});
