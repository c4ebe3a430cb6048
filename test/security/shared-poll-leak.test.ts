import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import fc from 'fast-check';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream, openLines } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';

/*
 * The one failure that must be impossible: one client's data reaching another. The backend echoes
 * who it was asked by; every client must see itself, whatever else goes on.
 */

/** Credentials as a client sends them; absent, empty and prefix-sharing values included. */
const credential = fc.constantFrom(undefined, '', 'a', 'b', 'ab', 'ba', 'a; b', 'a=b', 'aa');
const identity = fc.record({
  session: credential,
  other: credential,
  authorization: fc.constantFrom(undefined, 'Basic YQ==', 'Basic YWE=', 'Bearer a'),
  language: fc.constantFrom(undefined, 'de', 'en'),
  path: fc.constantFrom('/api/me', '/api/me?x=1', '/api/me?x=1&_=7', '/api/me?_=9'),
  how: fc.constantFrom('plain', 'bare', 'enveloped'),
});
type Identity = typeof identity extends fc.Arbitrary<infer T> ? T : never;

function headersOf({ session, other, authorization, language }: Identity): Record<string, string> {
  const cookies = [
    session === undefined ? [] : [`SESSION=${session}`],
    other === undefined ? [] : [`OTHER=${other}`],
  ].flat();
  return {
    ...(cookies.length > 0 ? { cookie: cookies.join('; ') } : {}),
    ...(authorization === undefined ? {} : { authorization }),
    ...(language === undefined ? {} : { 'accept-language': language }),
    'x-not-keyed': `secret of ${session}`,
  };
}

/** What the backend calls a client: everything of it that the endpoint varies on. */
function marker(url: string, cookie = '', authorization = ''): string {
  return createHash('sha256')
    .update(JSON.stringify([url, cookie, authorization]))
    .digest('hex');
}

function expected(one: Identity): string {
  const { cookie, authorization } = headersOf(one);
  const url = one.path.replace(/[?&]_=\d+/, '');
  return marker(url, cookie, authorization);
}

test('of many clients with mixed credentials each sees only what is its own', async (t) => {
  const upstream = await startUpstream(t, (req, res) => {
    const { cookie, authorization } = req.headers;
    // A page's own request that passes through still has its cache-buster.
    const url = (req.url ?? '').replace(/[?&]_=\d+/, '');
    const body = JSON.stringify({ you: marker(url, cookie, authorization) });
    res.setHeader('content-type', 'application/json').end(body);
  });
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/api/me': { every: '50ms', linger: '200ms' } },
  });

  async function see(one: Identity): Promise<string> {
    const headers = headersOf(one);
    if (one.how === 'plain') {
      const response = await fetch(`${proxy.url}${one.path}`, { headers });
      return ((await response.json()) as { you: string }).you;
    }
    if (one.how === 'bare') {
      const stream = await openEventStream(t, `${proxy.url}${one.path}`, headers);
      const event = await stream.next();
      stream.close();
      return (JSON.parse(event.data) as { you: string }).you;
    }
    const url = `${proxy.url}/_comet/stream?url=${encodeURIComponent(one.path)}`;
    const lines = await openLines<{ data: { you: string } }>(t, url, headers);
    const line = await lines.next();
    lines.close();
    return line.data.you;
  }

  await fc.assert(
    fc.asyncProperty(fc.array(identity, { minLength: 2, maxLength: 24 }), async (clients) => {
      const seen = await Promise.all(clients.map(see));
      assert.deepEqual(seen, clients.map(expected));
    }),
    { numRuns: 25 },
  );
});

test('nothing of a client reaches the upstream through a poll but what vary names', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.end('{}'));
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    via: false,
    live: {
      '/public': { every: '10s', vary: [] },
      '/named': {
        every: '10s',
        vary: ['cookie:SESSION', 'x-tenant'],
        headers: { 'X-Poll': 'yes' },
      },
      '/private': '10s',
    },
  });
  const sent = {
    cookie: 'SESSION=s; tracking=t; SESSION=u',
    authorization: 'Bearer secret',
    'x-tenant': 'blue',
    'x-forwarded-for': '6.6.6.6',
    'x-original-url': '/admin',
    'x-http-method-override': 'DELETE',
    'if-none-match': '"mine"',
    referer: 'http://x/secret',
    origin: proxy.url,
    'accept-language': 'de',
    'cache-control': 'no-cache',
  };
  const constants = {
    accept: '*/*',
    'accept-encoding': 'gzip',
    host: `127.0.0.1:${proxy.port}`,
    'x-forwarded-host': `127.0.0.1:${proxy.port}`,
    'x-forwarded-proto': 'http',
  };
  async function pollOf(path: string): Promise<Record<string, unknown>> {
    const stream = await openEventStream(t, `${proxy.url}${path}`, sent);
    await stream.next();
    const poll = upstream.requests.find(({ url }) => url === path);
    const { 'user-agent': agent, connection, ...rest } = poll?.headers ?? {};
    assert.match(String(agent), /^comet-proxy\//);
    assert.equal(connection, 'keep-alive');
    return rest;
  }
  assert.deepEqual(await pollOf('/public'), constants);
  assert.deepEqual(await pollOf('/named'), {
    ...constants,
    cookie: 'SESSION=s; SESSION=u',
    'x-tenant': 'blue',
    'x-poll': 'yes',
  });
  assert.deepEqual(await pollOf('/private'), {
    ...constants,
    cookie: sent.cookie,
    authorization: sent.authorization,
  });
});

test('a cursor of another identity is unknown: it gets a snapshot of its own', async (t) => {
  const upstream = await startUpstream(t, (req, res) =>
    res.setHeader('content-type', 'application/json').end(JSON.stringify(req.headers.cookie)),
  );
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/api/me': { every: '10s' } },
  });
  const url = `${proxy.url}/api/me`;
  const anna = await (await openEventStream(t, url, { cookie: 'id=anna' })).next();
  const ben = await openEventStream(t, url, { cookie: 'id=ben', 'last-event-id': anna.id ?? '' });
  assert.equal((await ben.next()).data, '"id=ben"');
});

/** A site that gives everybody who asks a cookie of their own. */
function startIssuer(t: TestContext) {
  let issued = 0;
  return startUpstream(t, (_req, res) => {
    issued += 1;
    res.setHeader('set-cookie', `sid=${issued}`).setHeader('content-type', 'application/json');
    res.end('{"same":true}');
  });
}

test('cookies of an answer reach nobody through shared state, and end its sharing', async (t) => {
  const upstream = await startIssuer(t);
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/api/x': { every: '10s', vary: [] } },
  });
  const stream = await openEventStream(t, `${proxy.url}/_comet/sse?url=/api/x`);
  const told = JSON.parse((await stream.next()).data);
  assert.equal(told.event, 'personal');
  assert.deepEqual(told.data, { status: 200, reason: 'set-cookie' });
  assert.equal(stream.headers['set-cookie'], undefined);
  const answers = await Promise.all([1, 2, 3].map(() => fetch(`${proxy.url}/api/x`)));
  const cookies = answers.map((answer) => answer.headers.get('set-cookie'));
  assert.equal(new Set(cookies).size, 3, 'each plain request has its own answer');
  assert.ok(!cookies.includes('sid=1'), "nobody gets the poll's cookie");
  const warnings = proxy.lines.filter(({ level }) => level === 'warn');
  assert.equal(warnings.length, 1, 'said once');
  assert.match(warnings[0]?.message ?? '', /passed through: its answers set a cookie/);
});

test('with setCookie "drop" the state is shared, and the cookie reaches nobody', async (t) => {
  const upstream = await startIssuer(t);
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/api/x': { every: '10s', vary: [], setCookie: 'drop' } },
  });
  const stream = await openEventStream(t, `${proxy.url}/api/x`);
  assert.equal((await stream.next()).data, '{"same":true}');
  assert.equal(stream.headers['set-cookie'], undefined);
  const answers = await Promise.all([1, 2, 3].map(() => fetch(`${proxy.url}/api/x`)));
  assert.deepEqual(
    answers.map((answer) => answer.headers.get('set-cookie')),
    [null, null, null],
  );
  assert.equal(upstream.requests.length, 1);
});
