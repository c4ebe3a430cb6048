import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream, openLines } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';

type Answer = (res: ServerResponse) => void;

const json =
  (value: unknown): Answer =>
  (res) =>
    res.setHeader('content-type', 'application/json').end(JSON.stringify(value));
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (res) =>
    res.writeHead(code, headers).end(`answer ${code}`);
const html: Answer = (res) => res.setHeader('content-type', 'text/html').end('<h1>sign in</h1>');

/** A proxy before a site whose one endpoint answers as the test says at each moment. */
async function scene(t: TestContext, first: Answer, endpoint: Record<string, unknown> = {}) {
  const current = { answer: first };
  const upstream = await startUpstream(t, (_req, res) => current.answer(res));
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/api/x': { every: '50ms', linger: '0s', ...endpoint } },
  });
  return { current, upstream, proxy, url: `${proxy.url}/api/x` };
}

const FAILURES: [name: string, answer: Answer, told: object, endpoint?: object][] = [
  ['an error status', status(500), { code: 'UPSTREAM_STATUS', status: 500 }],
  ['a status that asks for patience', status(429), { code: 'UPSTREAM_STATUS', status: 429 }],
  [
    'a body over maxBody',
    json('x'.repeat(2_000)),
    { code: 'UPSTREAM_TOO_LARGE' },
    { maxBody: '1KiB' },
  ],
  ['no answer in time', () => undefined, { code: 'UPSTREAM_TIMEOUT' }, { timeout: '100ms' }],
  ['a broken answer', (res) => res.socket?.end('nonsense\r\n\r\n'), { code: 'UPSTREAM_INVALID' }],
  ['a reset', (res) => res.socket?.resetAndDestroy(), { code: 'UPSTREAM_RESET' }],
  [
    'HTML where JSON was, for everybody',
    html,
    { code: 'UPSTREAM_TYPE', status: 200 },
    { vary: [] },
  ],
];

for (const [name, answer, told, endpoint] of FAILURES) {
  test(`${name} is told once as stale, and the state again as fresh`, async (t) => {
    const { current, url, proxy } = await scene(t, json(1), endpoint as Record<string, unknown>);
    const stream = await openEventStream(t, url);
    assert.equal((await stream.next()).data, '1');

    current.answer = answer;
    const stale = await stream.next();
    assert.equal(stale.event, 'stale');
    assert.deepEqual(JSON.parse(stale.data), told);

    current.answer = json(2);
    assert.equal((await stream.next()).data, '2');
    assert.equal((await stream.next()).event, 'fresh');
    assert.equal(stream.items.filter(({ event }) => event === 'stale').length, 1);
    assert.equal(proxy.lines.filter(({ level }) => level === 'warn').length, 1, 'logged once');
  });
}

test('a stream that begins while the upstream fails is open, and stale at once', async (t) => {
  const { current, url } = await scene(t, status(503));
  const stream = await openEventStream(t, url);
  assert.equal(stream.status, 200);
  assert.equal((await stream.next()).event, 'stale');
  current.answer = json('back');
  assert.equal((await stream.next()).data, '"back"');
});

const ENDINGS: [name: string, answer: Answer, word: string, code: number][] = [
  ['401', status(401), 'unauthorized', 401],
  ['403', status(403), 'unauthorized', 403],
  ['a redirect', status(302, { location: '/login' }), 'unauthorized', 302],
  ['a login page where JSON was', html, 'unauthorized', 200],
  ['410', status(410), 'gone', 410],
  ['404 that stays', status(404), 'gone', 404],
];

for (const [name, answer, word, code] of ENDINGS) {
  test(`${name} on a private endpoint ends the stream as ${word}`, async (t) => {
    const { current, url, upstream } = await scene(t, json(1));
    const stream = await openEventStream(t, url, { cookie: 'id=a' });
    await stream.next();
    current.answer = answer;
    let event = await stream.next();
    if (event.event === 'stale') event = await stream.next(); // a 404 is not believed at once
    assert.deepEqual([event.event, JSON.parse(event.data)], [word, { status: code }]);
    await stream.ended;
    const polls = upstream.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 200)); // four intervals of silence
    assert.equal(upstream.requests.length, polls, 'polling stopped at once');
  });
}

test('a stream of an endpoint that refuses from the start gets the true refusal', async (t) => {
  const { url } = await scene(t, (res) =>
    res.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end('who are you?'),
  );
  const stream = await openEventStream(t, url);
  assert.equal(stream.status, 401);
  assert.equal(stream.headers['www-authenticate'], 'Basic realm="x"');
});

test('in an enveloped stream the end of one URL leaves the others alone', async (t) => {
  const upstream = await startUpstream(t, (req, res) =>
    req.url === '/api/gone' ? res.writeHead(404).end() : json({ ok: 1 })(res),
  );
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/api/:name': { every: '50ms', vary: [] } },
  });
  const lines = await openLines<{ url: string; event: string }>(
    t,
    `${proxy.url}/_comet/stream?url=/api/gone&url=/api/here`,
  );
  const first = [await lines.next(), await lines.next()];
  assert.deepEqual(first.map(({ url, event }) => `${url} ${event}`).sort(), [
    '/api/gone gone',
    '/api/here snapshot',
  ]);
  assert.equal(proxy.streamCount, 1);
});

test('a plain request meets the true answer whatever happens on the push side', async (t) => {
  const { current, url } = await scene(t, json(1), { timeout: '100ms' });
  for (const code of [401, 404, 500, 302]) {
    current.answer = status(code);
    const response = await fetch(url, { redirect: 'manual' });
    assert.equal(response.status, code);
    assert.equal(await response.text(), `answer ${code}`);
  }
});
