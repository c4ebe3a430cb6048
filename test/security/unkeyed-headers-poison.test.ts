import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startUpstream } from '../support/upstream.ts';

/*
 * Legacy software answers by headers that nobody thought of. Whoever asks first leads the poll: what
 * it sends besides the key must change nothing of what the others see.
 */

const POISON = 'poison.example';

/** Header lines that some software answers by. */
const LINES: readonly string[] = [
  ...[
    'X-Forwarded-For X-Forwarded-Host X-Forwarded-Port X-Forwarded-Prefix X-Forwarded-Server',
    'X-Forwarded-Scheme X-Forwarded-Ssl X-Forwarded-User X-Forwarded-Path X-Forwarded-Proto',
    'X-Original-URL X-Original-Host X-Rewrite-URL X-HTTP-Method-Override X-HTTP-Method',
    'X-Method-Override X-Host X-Real-IP True-Client-IP CF-Connecting-IP X-Client-IP',
    'X-Cluster-Client-IP X-Remote-Addr X-Remote-User X-ProxyUser-IP X-Originating-IP Forwarded',
    'Referer User-Agent Accept-Language Accept-Charset Accept-Encoding Accept-Datetime Cookie',
    'Authorization Cookie2 Cache-Control Pragma If-None-Match If-Modified-Since Content-Type',
    'Content-Language Content-Encoding Date DNT From Last-Event-ID Sec-CH-UA Sec-CH-UA-Platform',
    'Save-Data SOAPAction X-Requested-With X-CSRF-Token X-Api-Key X-Auth-Token X-Request-Id',
    'X-Correlation-Id traceparent baggage X-Wap-Profile X-ATT-DeviceId Front-End-Https X-Scheme',
    'X-Tenant-2 X-Tenan __proto__ constructor Proxy-Authorization Proxy-Connection Via',
    'X-Forwarded-By X-Middleware-Subrequest X-Accel-Redirect X-Sendfile Surrogate-Capability',
  ].flatMap((names) => names.split(' ').map((name) => `${name}: ${POISON}`)),
  'Range: bytes=0-1',
  'If-Match: "poison"',
  'Upgrade-Insecure-Requests: 1',
  'X-HTTP-Method-Override: DELETE',
  'Connection: x-tenant',
  'Connection: cookie, x-poison',
  'TE: trailers',
  'Prefer: return=minimal',
  'Max-Forwards: 7',
];

/** A site that says all that it is told, and takes every header for what depends on it. */
async function openScene(t: Parameters<typeof startUpstream>[0]) {
  const site = await startUpstream(t, (req, res) => {
    res.setHeader('content-type', 'application/json').end(JSON.stringify(req.rawHeaders));
  });
  const live = {
    '/x': { every: '1h', vary: ['x-tenant'] },
    '/public': { every: '1h', vary: [] },
  };
  const proxy = await startTestProxy(t, { site: site.url, live });
  const target = (path: string, index: number | string) => `${path}?of=${index}`;
  return { site, proxy, target };
}

const OWN = 'X-Tenant: blue';

for (const path of ['/x', '/public']) {
  test(`${path}: no header besides the key changes what a poll carries, and what others see`, async (t) => {
    const { site, proxy, target } = await openScene(t);
    const clean = (await ask(t, proxy.port, get(target(path, 'clean'), OWN))).body;
    const poll = site.requests[0]?.rawHeaders ?? [];
    assert.equal(poll.includes('blue'), path === '/x');
    assert.ok(LINES.length > 60);
    for (const [index, line] of [...LINES, LINES.join('\r\n')].entries()) {
      const leader = connectRaw(t, proxy.port);
      leader.send(get(target(path, index), OWN, 'Accept: text/event-stream', line));
      await leader.receive('data: ');
      const follower = await ask(t, proxy.port, get(target(path, index), OWN));
      assert.deepEqual(follower.values('cache-status'), ['comet-proxy; hit'], line);
      assert.equal(follower.body, clean, line);
      const asked = site.requests.filter(({ url }) => url === target(path, index));
      assert.deepEqual(
        asked.map(({ rawHeaders }) => rawHeaders),
        [poll],
        line,
      );
      leader.reset();
    }
  });

  test(`${path}: the same of whoever asks for the plain resource first`, async (t) => {
    const { site, proxy, target } = await openScene(t);
    const clean = (await ask(t, proxy.port, get(target(path, 'clean'), OWN))).body;
    for (const [index, line] of LINES.entries()) {
      await ask(t, proxy.port, get(target(path, index), OWN, line));
      const follower = await ask(t, proxy.port, get(target(path, index), OWN));
      assert.equal(follower.body, clean, line);
      assert.deepEqual(follower.values('cache-status'), ['comet-proxy; hit'], line);
      const polls = site.requests.filter(({ url, headers }) => {
        return url === target(path, index) && /^comet-proxy/.test(headers['user-agent'] ?? '');
      });
      assert.equal(polls.length, 1, line);
    }
  });
}

test("a constant header of the config is not the first client's to set, and one that is keyed is its own", async (t) => {
  const site = await startUpstream(t, (req, res) => {
    const { 'x-tenant': tenant, 'x-poll': poll } = req.headers;
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ tenant, poll }));
  });
  const headers = { 'X-Poll': 'ours', 'X-Tenant': 'default' };
  const live = { '/x': { every: '1h', vary: ['x-tenant'], headers } };
  const proxy = await startTestProxy(t, { site: site.url, live });
  const see = async (...lines: string[]) =>
    JSON.parse((await ask(t, proxy.port, get('/x', ...lines))).body);
  assert.deepEqual(await see('X-Poll: theirs'), { tenant: 'default', poll: 'ours' });
  assert.deepEqual(await see('X-Poll: theirs', 'X-Tenant: blue'), { tenant: 'blue', poll: 'ours' });
  assert.deepEqual(await see(), { tenant: 'default', poll: 'ours' });
  assert.equal(site.requests.length, 2);
});
