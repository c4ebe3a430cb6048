import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { TRANSPORT_NAMES } from '../../src/protocol/surface.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { RawAnswer } from '../support/raw-answer.ts';
import { ask, get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';
import { createHoldClock } from './isolation/hold-clock.ts';
import { WAYS } from './ways.ts';

/*
 * The answer to a shared poll has one leader: its session cookie and whatever else the site says to
 * that one client in headers. Nobody who follows may get any of it.
 */

/** Headers that speak to one client; each holds the session of the request that it answers. */
const PERSONAL = [
  'Set-Cookie',
  'Set-Cookie2',
  'WWW-Authenticate',
  'Proxy-Authenticate',
  'Authentication-Info',
  'Access-Control-Allow-Origin',
  'Access-Control-Allow-Credentials',
  'Access-Control-Expose-Headers',
  'Clear-Site-Data',
  'Strict-Transport-Security',
  'Cross-Origin-Resource-Policy',
  'Content-Location',
  'Location',
  'Link',
  'Server',
  'Server-Timing',
  'Alt-Svc',
  'X-Session',
  'X-Powered-By',
  'Cache-Status',
  'Preference-Applied',
  '__proto__',
  'constructor',
];

/** These belong to the body that they came with: who gets that as a plain answer gets them too. */
const OF_DOCUMENTS = [
  'Content-Security-Policy',
  'Content-Security-Policy-Report-Only',
  'Content-Disposition',
  'Refresh',
  'X-Frame-Options',
];

const MINTED = /minted-/;

/** A site that mints a session for every request, and tells of it in every header that it can. */
async function startMint(t: TestContext, names = PERSONAL, mints = true) {
  const site = { version: 0, mints, isSlow: false };
  let minted = 0;
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const upstream = await startUpstream(t, async (req, res) => {
    minted += 1;
    const session = `minted-${minted}`;
    if (req.method === 'POST') site.version += 1;
    if (minted === 1 && site.isSlow) await released;
    const personal = names.flatMap((name) => [
      name,
      name === 'Set-Cookie' ? `sid=${session}` : session,
    ]);
    const headers = ['Content-Type', 'application/json', ...(site.mints ? personal : [])];
    res.writeHead(200, headers).end(`{"version":${site.version}}`);
  });
  return { upstream, site, release };
}

const told = (version: number) => new RegExp(`version[\\\\"]*:${version}`);

const EVENT_STREAM = get('/x', 'Accept: text/event-stream');

for (const { name, request, isLasting } of WAYS) {
  for (const vary of [[], ['cookie']]) {
    const audience = vary.length === 0 ? 'public' : 'private';
    test(`${name}, ${audience}: followers get nothing that was said to the poll's client`, async (t) => {
      const isPlain = name === 'plain' || name === 'wait';
      const { upstream } = await startMint(t, isPlain ? PERSONAL : [...PERSONAL, ...OF_DOCUMENTS]);
      const endpoint = { every: '1h', vary, setCookie: 'drop', transports: TRANSPORT_NAMES };
      const live = { '/x': { ...endpoint, refreshOn: ['POST /write'] } };
      const proxy = await startTestProxy(t, { site: upstream.url, live });
      const followers = [1, 2, 3].map(() => connectRaw(t, proxy.port));
      const witness = connectRaw(t, proxy.port);
      witness.send(EVENT_STREAM);
      for (const follower of followers) follower.send(request('/x'));
      await Promise.all([witness, ...followers].map((reader) => reader.receive(told(0))));
      await ask(t, proxy.port, get('/write', 'Content-Length: 0').replace('GET', 'POST'));
      await witness.receive(told(1));
      if (!isLasting) for (const follower of followers) follower.send(request('/x'));
      await Promise.all(followers.map((follower) => follower.receive(told(1))));
      for (const { received } of [witness, ...followers]) assert.doesNotMatch(received, MINTED);
      assert.equal(upstream.count('/x'), 2, 'one poll for each state');
    });
  }
}

/** The sessions in these answers, no two of which are of the same client. */
function sessionsOf(answers: readonly RawAnswer[]): string[] {
  const sessions = answers.map(({ values }) => values('set-cookie').join());
  for (const session of sessions) assert.match(session, /^sid=minted-\d+$/);
  assert.equal(new Set(sessions).size, answers.length, `of their own: ${sessions}`);
  return sessions;
}

for (const vary of [[], ['cookie']]) {
  test(`requests that wait for one poll get no part of its session: vary ${JSON.stringify(vary)}`, async (t) => {
    const { upstream, site, release } = await startMint(t);
    site.isSlow = true;
    const live = { '/x': { every: '1h', vary } };
    const proxy = await startTestProxy(t, { site: upstream.url, live });
    const asked = Array.from({ length: 10 }, () => ask(t, proxy.port, get('/x', 'Cookie: a=b')));
    await until(() => upstream.count('/x') === 1);
    // All of them have been read by the proxy when it answers a request that came after them.
    await ask(t, proxy.port, get('/_comet/none'));
    release();
    const sessions = sessionsOf(await Promise.all(asked));
    assert.ok(!sessions.includes('sid=minted-1'), 'nobody has the session of the poll');
  });
}

test('a request that is held when answers become personal gets a session of its own', async (t) => {
  const { upstream, site } = await startMint(t, PERSONAL, false);
  const live = { '/x': { every: '1h', vary: [], refreshOn: ['POST /write'] } };
  const clock = createHoldClock(20_000);
  const proxy = await startTestProxy(t, { site: upstream.url, live }, clock);
  const witness = connectRaw(t, proxy.port);
  witness.send(EVENT_STREAM);
  await witness.receive(told(0));
  const [tag = ''] = (await ask(t, proxy.port, get('/x'))).values('etag');
  const wait = ['Prefer: wait=20', `If-None-Match: ${tag}`];
  const held = [1, 2, 3].map(() => ask(t, proxy.port, get('/x', ...wait)));
  await until(() => clock.held === 3);
  site.mints = true;
  await ask(t, proxy.port, get('/write', 'Content-Length: 0').replace('GET', 'POST'));
  const polls = () =>
    upstream.requests.filter(({ headers }) => /^comet-proxy/.test(headers['user-agent'] ?? ''));
  sessionsOf(await Promise.all(held));
  assert.equal(polls().length, 2);
  assert.match(await witness.receive('event: personal'), /"reason":"set-cookie"/);
  assert.doesNotMatch(witness.received, MINTED);
});
