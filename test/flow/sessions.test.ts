import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream, openLines } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';
import { openSessionSite } from './session-site.ts';
import { openEnvelopes } from './socket-client.ts';

const NAMES = Array.from({ length: 20 }, (_, n) => `sid=${n}`);

test('twenty sessions are asked for once each, and share one poll', async (t) => {
  const site = await openSessionSite(t);
  for (const name of NAMES) site.sessions.add(name);
  const streams = await Promise.all(
    NAMES.map((cookie) => openEventStream(t, `${site.proxy.url}/all`, { cookie })),
  );
  for (const stream of streams) assert.equal((await stream.next()).data, '0');
  site.state = 1;
  for (const stream of streams) assert.equal((await stream.next()).data, '1');
  // All but the one with whose credentials it is polled.
  const counts = NAMES.map((name) => site.askedBy().filter((cookie) => cookie === name).length);
  assert.equal(counts.filter((count) => count === 1).length, NAMES.length - 1);
  const before = site.upstream.requests.length;
  await until(() => site.upstream.requests.length >= before + 3);
  assert.equal(new Set(site.askedBy().slice(before)).size, 1);
});

test('nobody is shown anything before the site has let it in', async (t) => {
  const site = await openSessionSite(t);
  site.sessions.add('sid=a');
  const a = await openEventStream(t, `${site.proxy.url}/all`, { cookie: 'sid=a' });
  await a.next();
  for (const cookie of ['sid=b', '', 'sid=A', 'sid=a; x=1']) {
    const headers = { cookie, accept: 'text/event-stream' };
    const own = await fetch(`${site.proxy.url}/all`, { headers, redirect: 'manual' });
    assert.equal(own.status, 302, 'the true refusal');
    const lines = await openLines(t, `${site.proxy.url}/_comet/stream?url=/all`, { cookie });
    const word = await lines.next();
    assert.deepEqual([word['event'], word['data']], ['unauthorized', { status: 302 }]);
    await lines.ended;
    const plain = await fetch(`${site.proxy.url}/all`, { headers: { cookie }, redirect: 'manual' });
    assert.equal(plain.status, 302);
  }
});

test('when the session with whose credentials it is polled ends, the next one goes on', async (t) => {
  const site = await openSessionSite(t);
  for (const name of ['sid=a', 'sid=b', 'sid=c']) site.sessions.add(name);
  const [a, b, c] = await Promise.all(
    ['sid=a', 'sid=b', 'sid=c'].map(async (cookie) => {
      const lines = await openLines(t, `${site.proxy.url}/_comet/stream?url=/all`, { cookie });
      await lines.next();
      return lines;
    }),
  );
  assert.ok(a && b && c);
  const streams = new Map([
    ['sid=a', a],
    ['sid=b', b],
    ['sid=c', c],
  ]);
  for (let left = 2; left > 0; left--) {
    const asked = site.upstream.requests.length;
    await until(() => site.upstream.requests.length > asked);
    const lender = site.askedBy().at(-1) ?? '';
    site.sessions.delete(lender);
    site.state = `after ${lender}`;
    const ended = streams.get(lender);
    assert.ok(ended);
    assert.equal((await ended.next())['event'], 'unauthorized');
    await ended.ended;
    streams.delete(lender);
    for (const other of streams.values()) {
      assert.equal((await other.next())['data'], `after ${lender}`);
    }
  }
  const told = [...streams.values()].flatMap(({ items }) => items.map(({ event }) => event));
  assert.deepEqual(new Set(told), new Set(['snapshot']), 'they were told of states only');
});

test('a session that ends is told within the interval of its probes, others are not', async (t) => {
  const site = await openSessionSite(t, { probeEvery: '1s' });
  site.sessions.add('sid=a').add('sid=b');
  const open = async (cookie: string) => {
    const lines = await openLines(t, `${site.proxy.url}/_comet/stream?url=/all`, { cookie });
    await lines.next();
    return lines;
  };
  const a = await open('sid=a');
  const b = await open('sid=b');
  const lender = site.askedBy().at(-1);
  const [gone, other] = lender === 'sid=a' ? [b, a] : [a, b];
  site.sessions.delete(lender === 'sid=a' ? 'sid=b' : 'sid=a');
  assert.equal((await gone.next())['event'], 'unauthorized');
  await gone.ended;
  site.state = 'later';
  assert.equal((await other.next())['data'], 'later');
});

test('when no session is left nothing is asked any more', async (t) => {
  const clock = createFakeClock();
  const site = await openSessionSite(t, { every: '1s' }, clock);
  site.sessions.add('sid=a');
  const a = await openEventStream(t, `${site.proxy.url}/all`, { cookie: 'sid=a' });
  await a.next();
  assert.deepEqual(site.askedBy(), ['sid=a', 'sid=a'], 'the probe, and the first poll');
  a.close();
  await until(() => site.proxy.streamCount === 0);
  await clock.advance(2 * 3_600_000);
  assert.equal(site.askedBy().length, 2);
});

test('plain requests of sessions that are let in share the state, each is asked for once', async (t) => {
  const site = await openSessionSite(t, { every: '1h' });
  site.sessions.add('sid=a').add('sid=b');
  for (let round = 0; round < 3; round++) {
    for (const cookie of ['sid=a', 'sid=b']) {
      const answer = await fetch(`${site.proxy.url}/all`, { headers: { cookie } });
      assert.equal(await answer.text(), '0');
      assert.match(answer.headers.get('vary') ?? '', /Cookie/);
    }
  }
  assert.deepEqual(site.askedBy().sort(), ['sid=a', 'sid=a', 'sid=b']);
});

test('who was let in resumes from the cursor of another session', async (t) => {
  const site = await openSessionSite(t, { linger: '1m' });
  site.sessions.add('sid=a').add('sid=b');
  const a = await openEnvelopes(t, site.proxy.url, '?url=/all', { headers: { cookie: 'sid=a' } });
  const { id } = await a.next();
  const b = await openEnvelopes(t, site.proxy.url, `?url=/all&since=${id}`, {
    headers: { cookie: 'sid=b' },
  });
  site.state = 'next';
  assert.equal((await b.next()).data, 'next');
});

test('a session that came while the site failed is let in soon after', async (t) => {
  const clock = createFakeClock();
  let isUp = false;
  const upstream = await startUpstream(t, (_req, res) => {
    res.statusCode = isUp ? 200 : 500;
    res.setHeader('content-type', 'application/json').end('1');
  });
  const keys = { every: '1s', authorizedBy: ['cookie'], probeEvery: '1h' };
  const { url } = await startTestProxy(t, { site: upstream.url, live: { '/all': keys } }, clock);
  const lines = await openLines(t, `${url}/_comet/stream?url=/all`, { cookie: 'sid=a' });
  assert.equal((await lines.next())['event'], 'stale');
  isUp = true;
  await clock.advance(5_000);
  assert.equal((await lines.next())['data'], 1);
  assert.equal((await lines.next())['event'], 'fresh');
});

test('a site that fails is told to every session, and that it works again', async (t) => {
  const site = await openSessionSite(t);
  site.sessions.add('sid=a');
  const lines = await openLines(t, `${site.proxy.url}/_comet/stream?url=/all`, { cookie: 'sid=a' });
  await lines.next();
  await site.upstream.close();
  assert.equal((await lines.next())['event'], 'stale');
});

test('cookies that polls are given stay with the polls', async (t) => {
  const site = await openSessionSite(t, { setCookie: 'keep' });
  for (const name of ['sid=a', 'sid=a; turn=1', 'sid=a; turn=2']) site.sessions.add(name);
  site.setCookie = (cookie) =>
    `turn=${cookie.includes('turn=1') ? 2 : 1}; Path=/; HttpOnly; Secure`;
  const answer = await fetch(`${site.proxy.url}/all`, {
    headers: { cookie: 'sid=a', accept: 'text/event-stream' },
  });
  assert.equal(answer.headers.get('set-cookie'), null);
  await until(() => site.askedBy().includes('sid=a; turn=2'));
  await answer.body?.cancel();
});

test('an answer that sets a new cookie ends sharing, where nothing else is said', async (t) => {
  const site = await openSessionSite(t);
  site.sessions.add('sid=a');
  site.setCookie = () => 'turn=1';
  const lines = await openLines(t, `${site.proxy.url}/_comet/stream?url=/all`, { cookie: 'sid=a' });
  const word = await lines.next();
  assert.deepEqual(word['data'], { status: 200, reason: 'set-cookie' });
});

test('a constant header of the polls may be what answers vary on, for plain requests too', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => {
    res.setHeader('vary', 'Accept, Accept-Encoding').end('state');
  });
  const live = { '/x': { every: '1h', vary: [], headers: { Accept: 'text/plain' } } };
  const proxy = await startTestProxy(t, { site: upstream.url, live });
  for (let i = 0; i < 3; i++) {
    const answer = await fetch(`${proxy.url}/x`);
    assert.equal(answer.headers.get('cache-status'), 'comet-proxy; hit');
    await answer.text();
  }
  assert.equal(upstream.requests.length, 1);
});

test('when the last session has ended the next one is not left with its credentials', async (t) => {
  const site = await openSessionSite(t, { every: '1h' }, undefined, {
    logoutOn: ['POST /logout'],
  });
  site.sessions.add('sid=a').add('sid=b');
  const plain = await fetch(`${site.proxy.url}/all`, { headers: { cookie: 'sid=a' } });
  assert.equal(await plain.text(), '0');
  const out = await fetch(`${site.proxy.url}/logout`, {
    method: 'POST',
    headers: { cookie: 'sid=a' },
  });
  await out.text();
  site.state = 'of b';
  const lines = await openLines(t, `${site.proxy.url}/_comet/stream?url=/all`, { cookie: 'sid=b' });
  assert.equal((await lines.next())['data'], 'of b');
  assert.equal(site.askedBy().at(-1), 'sid=b');
});

test('a plain request that finds out that its session is over gets nothing of others', async (t) => {
  const clock = createFakeClock();
  const site = await openSessionSite(t, { every: '1s', linger: '1h' }, clock);
  site.sessions.add('sid=a').add('sid=b');
  for (const cookie of ['sid=a', 'sid=b']) {
    const answer = await fetch(`${site.proxy.url}/all`, { headers: { cookie } });
    assert.equal(await answer.text(), '0');
  }
  site.sessions.delete('sid=a');
  site.state = 'secret of b';
  await clock.advance(2_000);
  const late = await fetch(`${site.proxy.url}/all`, {
    headers: { cookie: 'sid=a' },
    redirect: 'manual',
  });
  assert.equal(late.status, 302);
});

test('a session whose probes are refused in any way sees nothing more', async (t) => {
  const clock = createFakeClock();
  let isIn = true;
  let state = 'known';
  const upstream = await startUpstream(t, (req, res) => {
    const isRefused = req.headers.cookie === 'sid=a' && !isIn;
    if (isRefused) res.statusCode = 419;
    res.setHeader('content-type', 'text/plain').end(isRefused ? 'expired' : state);
  });
  const keys = { every: '1s', authorizedBy: ['cookie'], probeEvery: '10s' };
  const { url } = await startTestProxy(t, { site: upstream.url, live: { '/all': keys } }, clock);
  const follow = async (cookie: string) => {
    const lines = await openLines(t, `${url}/_comet/stream?url=/all`, { cookie });
    assert.equal((await lines.next())['data'], 'known');
    return lines;
  };
  const b = await follow('sid=b'); // with its credentials it is polled
  const a = await follow('sid=a');
  isIn = false;
  await clock.advance(11_000);
  assert.equal((await a.next())['event'], 'stale');
  state = 'secret';
  await clock.advance(2_000);
  assert.equal((await b.next())['data'], 'secret');
  const plain = await fetch(`${url}/all`, { headers: { cookie: 'sid=a' } });
  assert.equal(plain.status, 419);
  assert.ok(!JSON.stringify(a.items).includes('secret'));
});

test("a login page with status 200 is nobody else's state, even if it came first", async (t) => {
  const upstream = await startUpstream(t, (req, res) => {
    const isIn = req.headers.cookie?.startsWith('sid=') === true;
    res.setHeader('content-type', isIn ? 'application/json' : 'text/html');
    res.end(isIn ? '{"v":1}' : '<form>log in</form>');
  });
  const keys = { every: '1h', authorizedBy: ['cookie'] };
  const { url } = await startTestProxy(t, { site: upstream.url, live: { '/all': keys } });
  const stranger = await openLines(t, `${url}/_comet/stream?url=/all`);
  await stranger.next();
  const another = await openLines(t, `${url}/_comet/stream?url=/all`, { cookie: 'x=1' });
  await another.next();
  const member = await openLines(t, `${url}/_comet/stream?url=/all`, { cookie: 'sid=1' });
  assert.deepEqual((await member.next())['data'], { v: 1 });
  for (const { next } of [stranger, another]) {
    assert.equal((await next())['event'], 'unauthorized');
  }
  const plain = await fetch(`${url}/all`, { headers: { cookie: 'sid=1' } });
  assert.equal(await plain.text(), '{"v":1}');
});

test("a visitor who is given a cookie ends nobody else's sharing", async (t) => {
  const upstream = await startUpstream(t, (req, res) => {
    if (req.headers.cookie === undefined) res.setHeader('set-cookie', 'sid=new');
    res.setHeader('content-type', 'application/json').end('1');
  });
  const keys = { every: '1h', authorizedBy: ['cookie:sid'] };
  const { url } = await startTestProxy(t, { site: upstream.url, live: { '/all': keys } });
  const ask = async (headers: Record<string, string>) => {
    const answer = await fetch(`${url}/all`, { headers });
    await answer.text();
    return answer.headers.get('cache-status');
  };
  assert.equal(await ask({ cookie: 'sid=a' }), 'comet-proxy; hit');
  assert.equal(await ask({}), null);
  assert.equal(await ask({ cookie: 'sid=a' }), 'comet-proxy; hit');
});
