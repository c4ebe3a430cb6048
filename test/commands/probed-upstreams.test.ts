import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { UpstreamProbe } from '../../src/shared/probe-report.ts';
import { createCertificate } from '../support/certificate.ts';
import { answerWith, startRawUpstream, unusedPort } from '../support/raw-upstream.ts';
import { startLegacySite } from './legacy-site.ts';
import { check, findingsOn, report, short } from './probing.ts';

const PUBLIC = { every: '1m', vary: [] };

/** An upstream as `name status` and its findings. */
const told = ({ name, status, findings }: UpstreamProbe) => [
  `${name} ${status}`,
  ...findings.flatMap(short),
];

test('a site that refuses connections is told, and its endpoints are not probed: 69', async (t) => {
  const site = `http://127.0.0.1:${await unusedPort()}`;
  const { code, out } = await check(t, { site, live: { '/a': PUBLIC, '/b': PUBLIC } });
  assert.match(
    out,
    /^site {2}\S+\n {6}problem: it refuses connections: does it run, and at this port\? \(ECONNREFUSED\)$/m,
  );
  assert.match(out, /^\/a\nanswer {2}not probed: there is no site$/m);
  assert.match(out, /^no URLs probed, 2 not probed: 1 problem$/m);
  assert.equal(code, 69);
});

test('a mount that refuses connections is a problem too; endpoints are probed', async (t) => {
  const { url: site } = await startLegacySite(t);
  const comet = { '/chat/': `http://127.0.0.1:${await unusedPort()}/x/` };
  const found = await report(t, { site, comet, live: { '/validated': PUBLIC } });
  assert.deepEqual(found.upstreams.map(told), [
    ['site 200'],
    ['comet /chat/ undefined', 'problem unreachable'],
  ]);
  assert.deepEqual(findingsOn(found, '/validated')[0], 'note not-modified');
  assert.equal(found.code, 69);
});

test('every origin of a mount is asked for its own path, as what it is called', async (t) => {
  const [site, one, two] = [
    await startLegacySite(t),
    await startLegacySite(t),
    await startLegacySite(t),
  ];
  const comet = {
    '/chat/': { origins: [`${one.url}/failing`, `${two.url}/clock`] },
    '/kept/': { origin: `${two.url}/page/`, preserveHost: true },
  };
  const headers = ['Host', 'shop.example'];
  const { upstreams, code } = await report(t, { site: site.url, comet }, { headers });
  assert.deepEqual(upstreams.map(told), [
    ['site 200'],
    ['comet /chat/ 503', 'warning server-error'],
    ['comet /chat/ 200'],
    ['comet /kept/ 404'],
  ]);
  const asked = [site, one, two].map(({ requests }) =>
    requests.map(({ url, headers: { host } }) => `${url} ${host}`).sort(),
  );
  assert.deepEqual(asked, [
    ['/ shop.example'],
    [`/failing 127.0.0.1:${one.port}`],
    [`/clock 127.0.0.1:${two.port}`, '/page/ shop.example'],
  ]);
  assert.equal(code, 0);
});

test('of an answer without end the head is enough', async (t) => {
  const { url: site } = await startLegacySite(t);
  const { upstreams } = await report(t, { site, comet: { '/s/': `${site}/endless` } });
  assert.deepEqual(upstreams.map(told), [['site 200'], ['comet /s/ 200']]);
});

test('a mount that takes connections and does not answer is a warning, a site a problem', async (t) => {
  const { url } = await startLegacySite(t);
  const { url: silent } = await startRawUpstream(t);
  const origin = { origin: silent, responseTimeout: '50ms' };
  const mounted = await report(t, { site: url, comet: { '/s/': origin } });
  assert.deepEqual(mounted.upstreams.map(told), [
    ['site 200'],
    ['comet /s/ undefined', 'warning no-answer'],
  ]);
  assert.equal(mounted.code, 0);

  const site = { url: silent, responseTimeout: '50ms' };
  const live = { '/a': { ...PUBLIC, timeout: '50ms' } };
  const slow = await report(t, { site, live });
  assert.deepEqual(slow.upstreams.map(told), [['site undefined', 'problem no-answer']]);
  assert.match(slow.upstreams[0]?.findings[0]?.text ?? '', /^no answer in 50 ms$/);
  assert.deepEqual(findingsOn(slow, '/a'), ['problem no-answer']);
  assert.equal(slow.code, 69);
});

const BARE = 'HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 2\n\n{}';
test('broken HTTP is told with what reads it, and is read with that', async (t) => {
  const { url } = await answerWith(t, BARE);
  const strict = await check(t, { site: url, live: { '/a': PUBLIC } });
  assert.equal(strict.out.match(/"lenient": true may read it/g)?.length, 2);
  assert.match(strict.out, /^nobody {2}no answer, \S+$/m);
  assert.equal(strict.code, 69);
  const lenient = await report(t, { site: { url, lenient: true }, live: { '/a': PUBLIC } });
  assert.deepEqual(findingsOn(lenient, '/a'), ['note no-validators', 'note unchanged']);
  assert.equal(lenient.code, 0);
});

async function startTlsSite(t: TestContext) {
  const files = createCertificate(t);
  const pem = { cert: readFileSync(files.cert), key: readFileSync(files.key) };
  const server = createServer(pem, (_req, res) => {
    res.setHeader('content-type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `https://127.0.0.1:${port}`, plain: `http://127.0.0.1:${port}`, ca: files.cert };
}

test('a certificate that nobody vouches for is told, and is accepted with "tls"', async (t) => {
  const { url, ca } = await startTlsSite(t);
  const live = { '/a': PUBLIC };
  const { out, code } = await check(t, { site: url, live });
  assert.match(out, /problem: .*"tls\.ca" names the authority \(DEPTH_ZERO_SELF_SIGNED_CERT\)/);
  assert.equal(code, 69);

  const trusting = await report(t, { site: { url, tls: { ca, serverName: 'localhost' } }, live });
  assert.match(trusting.upstreams[0]?.tls ?? '', /^TLSv1\.[23]$/);
  assert.deepEqual(findingsOn(trusting, '/a'), ['note no-validators', 'note unchanged']);
  assert.equal(trusting.code, 0);

  const named = await check(t, { site: { url, tls: { ca, serverName: 'shop.example' } } });
  assert.match(named.out, /problem: its certificate is for another name: "tls\.serverName"/);
  assert.equal((await check(t, { site: { url, tls: { verify: false } }, live })).code, 0);
});

test('TLS where there is none is told', async (t) => {
  const { url } = await startLegacySite(t);
  const { out, code } = await check(t, { site: url.replace('http:', 'https:') });
  assert.match(out, /problem: there is no TLS with it: is it http:\/\/ after all\? \(E\w+\)/);
  assert.equal(code, 69);
});

test('an authority that cannot be read is a bad config: 78', async (t) => {
  const site = { url: 'https://127.0.0.1:1', tls: { ca: '/nowhere/ca.pem' } };
  const { code, out, err } = await check(t, { site });
  assert.match(err, /^comet-proxy: "tls\.ca" of https:\/\/127\.0\.0\.1:1 cannot be read: ENOENT/);
  assert.deepEqual([code, out], [78, '']);
});
