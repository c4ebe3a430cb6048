import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointProbe } from '../../src/shared/probe-report.ts';
import { LIST, openRpcSite } from '../flow/rpc-site.ts';
import { startTestProxy } from '../support/proxy.ts';
import { SECRET, startLegacySite } from './legacy-site.ts';
import { answersOf, check, findingsOn, report } from './probing.ts';

const PUBLIC = { every: '1m', vary: [] };
const PRIVATE = { every: '1m', vary: ['cookie:SESSION'] };
const SESSION = ['Cookie', `SESSION=${SECRET}; lang=de`];

const NOBODY_ALONE: readonly [path: string, settings: object, findings: string[], code: number][] =
  [
    ['/clock', PUBLIC, ['note no-validators', 'note changes', '"ignore": ["/generatedAt"]'], 0],
    ['/page', PUBLIC, ['note no-validators', 'note changes', '"ignore": [{"css":"#now"}]'], 0],
    [
      '/cookies',
      PUBLIC,
      ['note no-validators', 'note unchanged', 'warning set-cookie', '"setCookie": "drop"'],
      0,
    ],
    [
      '/private',
      PUBLIC,
      ['note no-validators', 'note unchanged', 'warning cache-control', '"cacheControl": "ignore"'],
      0,
    ],
    ['/mine', PUBLIC, ['problem refused'], 69],
    ['/mine', PRIVATE, ['note refused'], 0],
    ['/behind-login', PUBLIC, ['problem status'], 69],
    ['/behind-login', PRIVATE, ['note refused'], 0],
    ['/form', PUBLIC, ['warning login-page', 'note no-validators', 'note unchanged'], 0],
    ['/validated', PUBLIC, ['note not-modified', 'note unchanged'], 0],
    ['/broken-validator', PUBLIC, ['warning conditions-ignored', 'note unchanged'], 0],
    ['/packed', PUBLIC, ['note no-validators', 'note unchanged'], 0],
    ['/large', { ...PUBLIC, maxBody: '1KiB' }, ['problem no-answer'], 69],
    ['/silent', { ...PUBLIC, timeout: '50ms' }, ['problem no-answer'], 69],
    ['/failing', PRIVATE, ['problem status'], 69],
    ['/nothing', PUBLIC, ['problem gone'], 69],
  ];
for (const [path, settings, findings, code] of NOBODY_ALONE) {
  const kind = settings === PRIVATE ? 'private' : 'public';
  test(`of ${path} as a ${kind} endpoint it finds ${findings.join(', ')}: ${code}`, async (t) => {
    const { url: site } = await startLegacySite(t);
    const found = await report(t, { site, live: { [path]: settings } });
    assert.deepEqual(findingsOn(found, path), findings);
    assert.deepEqual([found.code, found.err], [code, '']);
  });
}

const WITH_SESSION: readonly [
  path: string,
  settings: object,
  answers: string[],
  findings: string[],
][] = [
  [
    '/by-session',
    PUBLIC,
    ['nobody 200', 'nobody 200', 'request 200'],
    [
      ...['note no-validators', 'note changes', '"ignore": ["/count"]'],
      ...['warning depends-on-who-asks', '"vary": ["cookie:SESSION", "cookie:lang"]'],
    ],
  ],
  [
    '/by-session',
    PRIVATE,
    ['nobody 200', 'nobody 200', 'client 200', 'client 200', 'request 200'],
    [
      ...['note no-validators', 'note changes', '"ignore": ["/count"]'],
      ...['note same-for-all', 'note varies-as-said'],
    ],
  ],
  [
    '/mine',
    { every: '1m' },
    ['nobody 401', 'nobody 401', 'client 200', 'client 200'],
    ['note no-validators', 'note unchanged', 'note varies-as-said'],
  ],
  [
    '/mine',
    { every: '1m', authorizedBy: ['cookie:SESSION'] },
    ['nobody 401', 'nobody 401', 'client 200', 'client 200', 'request 200'],
    ['note no-validators', 'note unchanged', 'note same-for-all', 'note varies-as-said'],
  ],
  [
    '/cookies',
    { ...PUBLIC, setCookie: 'keep' },
    ['nobody 200', 'nobody 200', 'request 200'],
    ['note no-validators', 'note unchanged', 'note same-for-all'],
  ],
  [
    '/mine',
    PUBLIC,
    ['nobody 401', 'nobody 401', 'request 200'],
    ['problem refused', '"vary": ["cookie:SESSION", "cookie:lang"]'],
  ],
];
for (const [path, settings, answers, findings] of WITH_SESSION) {
  test(`of ${path} with a session, ${JSON.stringify(settings)}`, async (t) => {
    const { url: site } = await startLegacySite(t);
    const config = { site, live: { [path]: settings } };
    const found = await report(t, config, { headers: SESSION });
    assert.deepEqual(answersOf(found, path), answers);
    assert.deepEqual(findingsOn(found, path), findings);
  });
}

test('what is printed for people', async (t) => {
  const { url: site } = await startLegacySite(t);
  const live = { '/clock': PUBLIC, '/packed': PUBLIC, '/orders/:id': PRIVATE, '/cookies': PUBLIC };
  const { code, out, err } = await check(t, { site, live });
  const [, probed = ''] = out.split(/^ {2}live \/cookies .*\n\n/m);
  assert.equal(
    probed.replace(/\b\d+(?:\.\d+)?m?s\b/g, 'TIME'),
    `site  ${site}/ answers 200 in TIME

/clock
nobody      200 application/json, 33 B, no gzip, TIME and TIME
validators  none: each poll brings the whole body
changes     it differs within TIME, in these parts; where they do not count:
            "ignore": ["/generatedAt"]

/packed
nobody      200 application/json, 2.0 KiB, gzip, TIME and TIME
validators  none: each poll brings the whole body
changes     none within TIME

/orders/:id
answer  not probed: give a URL of it with --url

/cookies
nobody      200 application/json, 2 B, no gzip, sets SID, lang, TIME and TIME
validators  none: each poll brings the whole body
changes     none within TIME
sharing     warning: its answers set a cookie ("SID"); "setCookie" says what that means; where all is for everybody:
            "setCookie": "drop"

without -H nobody can tell whether answers depend on who asks: give the Cookie of a session
3 URLs probed, 1 not probed: 1 warning`,
  );
  assert.deepEqual([code, err], [0, '']);
});

test('a URL stands for its endpoint, in the query that it has', async (t) => {
  const site = await startLegacySite(t);
  const live = { '/:page': PUBLIC, '/clock': PUBLIC };
  const urls = ['/page?x=1&_=7', `http://shop.example/clock?token=${SECRET}`];
  const { endpoints, code } = await report(t, { site: site.url, live }, { urls });
  assert.deepEqual(
    endpoints.map(({ endpoint, url }: EndpointProbe) => [endpoint, url]),
    [
      ['/:page', '/page?x=1'],
      ['/clock', '/clock?token=***'],
    ],
  );
  assert.equal(code, 0);
  const asked = new Map(site.requests.map(({ url, headers }) => [url, headers.host]));
  assert.deepEqual(
    [...asked],
    [
      ['/', `127.0.0.1:${site.port}`],
      ['/page?x=1', `127.0.0.1:${site.port}`],
      [`/clock?token=${SECRET}`, 'shop.example'],
    ],
  );
});

test('a URL of no endpoint is a mistake of usage: nothing is asked', async (t) => {
  const site = await startLegacySite(t);
  const config = { site: site.url, live: { '/clock': PUBLIC } };
  const { code, out, err } = await check(t, config, { urls: ['/Clock', '/clock', '/x'] });
  assert.equal(
    err,
    'comet-proxy: /Clock is no live URL of this config: matches no pattern of "live"; in lower case it would match "/clock"\n' +
      'comet-proxy: /x is no live URL of this config: matches no pattern of "live"',
  );
  assert.deepEqual([code, out, site.requests.length], [64, '', 0]);
});

test('no header, cookie or body of anybody is printed, and no token of a URL', async (t) => {
  const { url: site } = await startLegacySite(t);
  const paths = ['/clock', '/page', '/cookies', '/mine', '/behind-login', '/form', '/by-session'];
  const shapes = [PUBLIC, PRIVATE, { every: '1m', headers: { 'X-Key': SECRET } }];
  const headers = [...SESSION, 'Authorization', `Bearer ${SECRET}`, 'X-Token', SECRET];
  for (const shape of shapes) {
    const live = Object.fromEntries(paths.map((path) => [path, shape]));
    const urls = [`/clock?token=${SECRET}`];
    for (const json of [false, true]) {
      const { out, err } = await check(t, { site, live }, { headers, urls, json });
      assert.match(out, /by-session/);
      assert.doesNotMatch(out + err, new RegExp(SECRET));
    }
  }
});

test('polls carry what those of the running proxy carry', async (t) => {
  const site = await startLegacySite(t);
  const live = {
    '/clock': { every: '1m', vary: ['cookie:SESSION', 'x-tenant'], headers: { 'X-Key': '1' } },
  };
  for (const upstream of [site.url, { url: site.url, preserveHost: false }]) {
    const config = { site: upstream, live };
    const seen = () =>
      site.requests
        .splice(0)
        .filter(({ url }) => url === '/clock')
        .map(({ headers: { via, connection: _, ...rest } }) => ({
          ...rest,
          via: via?.replace(/[0-9a-f]{8}$/, ''),
        }));
    const proxy = await startTestProxy(t, config);
    const request = { cookie: `SESSION=1; lang=de`, 'x-tenant': '7', 'x-other': '1' };
    await (await fetch(`${proxy.url}/clock`, { headers: request })).text();
    await (await fetch(`${proxy.url}/clock`)).text();
    const [client, nobody] = seen();
    const given = Object.entries(request).flat();
    const host = new URL(proxy.url).host;
    const options = { headers: given, urls: [`http://${host}/clock`] };
    const probed = await report(t, config, options);
    const { length } = probed.endpoints[0]?.answers ?? [];
    assert.equal(length, 5);
    assert.deepEqual(seen(), [
      ...[nobody, client],
      { ...client, cookie: 'SESSION=1; lang=de', 'x-other': '1' },
      ...[nobody, client],
    ]);
  }
});

test('what is never sent as it was given is named', async (t) => {
  const { url: site } = await startLegacySite(t);
  const headers = ['Accept-Encoding', 'br', 'Connection', 'close'];
  const { findings } = await report(t, { site, live: { '/clock': PUBLIC } }, { headers });
  assert.deepEqual(
    findings.map(({ text }) => text),
    ['not sent as given, the proxy says it itself: accept-encoding, connection'],
  );
});

test('a config without live endpoints has its upstreams only', async (t) => {
  const { url: site } = await startLegacySite(t);
  const { code, out } = await check(t, { site });
  assert.match(out, /\n\nsite {2}http:\S+ answers 200 in \S+\n\nno URLs probed: all is well$/);
  assert.equal(code, 0);
});

test('polls by POST are asked with their body, each with a token of its own', async (t) => {
  const rpc = await openRpcSite(t);
  rpc.session = 'token';
  const handshake = { status: 409, header: 'X-Session' };
  const live = { '/rpc': { ...PUBLIC, ...LIST, handshake, rpc: 'json-rpc' } };
  const headers = ['Content-Type', 'application/json', 'Cookie', 'a=1'];
  const question = { urls: ['/rpc'], headers, body: `{"method":"list","id":7,"view":"${SECRET}"}` };
  const found = await report(t, { site: rpc.upstream.url, live }, question);
  assert.deepEqual(answersOf(found, '/rpc'), ['nobody 200', 'nobody 200', 'request 200']);
  assert.deepEqual(findingsOn(found, '/rpc'), ['note unchanged', 'note same-for-all']);
  assert.deepEqual(found.findings, []);
  const [root, ...polls] = rpc.calls;
  assert.equal(root?.method, 'GET');
  assert.deepEqual(
    polls.map(({ session }) => session),
    [undefined, 'token', undefined, 'token', 'token'],
  );
  assert.deepEqual([...new Set(polls.map(({ type }) => type))], ['application/json']);
  assert.doesNotMatch(found.out, new RegExp(SECRET));
});
