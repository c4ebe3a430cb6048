import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { answerWith } from '../support/raw-upstream.ts';
import { startUpstream } from '../support/upstream.ts';
import { countHeads, lastHead, OK, startMountScene } from './comet-mount-scene.ts';

const PATHS: Record<string, string> = {
  '/chat': '/bayeux',
  '/chat/': '/bayeux/',
  '/chat?x=1': '/bayeux?x=1',
  '/chat/x': '/bayeux/x',
  '/chat//x//': '/bayeux//x//',
  '/chat/%41%2F;a=b/~!$&()*+,=:@?q=%2e%2e/../[]{}|^"\'&&=':
    '/bayeux/%41%2F;a=b/~!$&()*+,=:@?q=%2e%2e/../[]{}|^"\'&&=',
  'http://other.test/chat/x?y': '/bayeux/x?y',
};
for (const [target, path] of Object.entries(PATHS)) {
  test(`the origin is asked for its own path, byte for byte: ${target}`, async (t) => {
    const { proxy, origin, site } = await startMountScene(t, { answer: OK });
    assert.equal((await ask(t, proxy.port, get(target))).body, 'ok');
    assert.equal(lastHead(origin).requestLine, `GET ${path} HTTP/1.1`);
    assert.equal(countHeads(site), 0);
  });
}

test('an origin without a path is asked for one nevertheless', async (t) => {
  const { proxy, origin } = await startMountScene(t, { answer: OK, path: '' });
  for (const [target, path] of [
    ['/chat', '/'],
    ['/chat?x', '/?x'],
    ['/chat/x', '/x'],
  ] as const) {
    await ask(t, proxy.port, get(target));
    assert.equal(lastHead(origin).requestLine, `GET ${path} HTTP/1.1`);
  }
});

test('what lies beside the mount is the site’s', async (t) => {
  const { proxy, origin, site } = await startMountScene(t, { answer: OK });
  const targets = ['/', '/chatter', '/Chat/', '/x/chat/', '/chat.js', '/?/chat/', '//chat/x'];
  for (const target of targets) {
    assert.equal((await ask(t, proxy.port, get(target))).body, 'site');
    assert.equal(lastHead(site).requestLine, `GET ${target} HTTP/1.1`);
  }
  assert.equal(countHeads(origin), 0);
});

test('of several mounts the most specific one gets a request, whatever their order', async (t) => {
  const outer = await answerWith(t, OK);
  const inner = await answerWith(t, OK.replace('ok', 'in'));
  for (const paths of [
    ['/a', '/a/b/'],
    ['/a/b', '/a/'],
  ] as const) {
    const comet = Object.fromEntries(
      paths.map((path) => [path, path.startsWith('/a/b') ? inner.url : outer.url]),
    );
    const proxy = await startTestProxy(t, { site: outer.url, comet });
    const bodies = [];
    for (const target of ['/a', '/a/x', '/a/bx', '/a/b', '/a/b/x']) {
      bodies.push((await ask(t, proxy.port, get(target))).body);
    }
    assert.deepEqual(bodies, ['ok', 'ok', 'ok', 'in', 'in']);
  }
});

const REFUSED = [
  ...['/chat/../x', '/chat/..', '/chat/..%2f', '/chat/..%2Fx', '/chat/%2e%2e/', '/chat/.%2E/x'],
  ...[
    '/chat/..;/x',
    '/chat/..;a/x',
    '/chat/%5c..%5c',
    '/chat/..\\x',
    '/chat/%252e%252e/x',
    '/chat/./x',
  ],
  ...[
    '/chat/%00',
    '/chat/%zz',
    '/chat%2Fx',
    '/%63hat/x',
    '/ch%61t',
    '/%2563hat/x',
    'http://a/chat/../x',
  ],
];
for (const target of REFUSED) {
  test(`a path that leads out of a mount, or into it in disguise, reaches nobody: ${target}`, async (t) => {
    const { proxy, origin, site } = await startMountScene(t, { answer: OK });
    assert.equal((await ask(t, proxy.port, get(target))).status, 400);
    assert.deepEqual([countHeads(origin), countHeads(site)], [0, 0]);
  });
}

/** Sent: Origin and Referer. Seen by the origin: the same, of whom it believes to be. */
const OWN = (port: number) => `http://127.0.0.1:${port}`;
const SPEAKERS: readonly (readonly [sent: string, seen: (port: number) => string])[] = [
  ['http://site.test', OWN],
  ['HTTP://SITE.test', OWN],
  ['https://site.test', () => 'https://site.test'],
  ['http://site.test:81', () => 'http://site.test:81'],
  ['http://evil.test', () => 'http://evil.test'],
  ['null', () => 'null'],
];
for (const [sent, seen] of SPEAKERS) {
  test(`the origin sees its own Origin in place of ours only: ${sent}`, async (t) => {
    const { proxy, origin } = await startMountScene(t, { answer: OK });
    await ask(t, proxy.port, get('/chat/x', `Origin: ${sent}`, `Referer: ${sent}/chat/page`));
    const head = lastHead(origin);
    const expected = seen(origin.port);
    assert.deepEqual(head.values('origin'), [expected]);
    const page = expected === OWN(origin.port) ? '/bayeux/page' : '/chat/page';
    assert.deepEqual(head.values('referer'), [expected + page]);
  });
}

test('the origin is asked by its own name, and told the name that the client used', async (t) => {
  const { proxy, origin } = await startMountScene(t, { answer: OK });
  await ask(t, proxy.port, get('/chat/x', 'X-Forwarded-Host: forged.test'));
  const head = lastHead(origin);
  assert.deepEqual(head.values('host'), [`127.0.0.1:${origin.port}`]);
  assert.deepEqual(head.values('x-forwarded-host'), ['site.test']);
  assert.deepEqual(head.values('x-forwarded-proto'), ['http']);
  for (const name of ['origin', 'referer', 'cookie']) assert.deepEqual(head.values(name), []);
});

test('a mount that preserves the Host gets what the client said, but for cookies', async (t) => {
  const { proxy, origin } = await startMountScene(t, { answer: OK, mount: { preserveHost: true } });
  const lines = [
    'Origin: http://site.test',
    'Referer: http://site.test/page',
    'Cookie: S=1; chat~a=2',
  ];
  await ask(t, proxy.port, get('/chat/x', ...lines));
  const head = lastHead(origin);
  assert.deepEqual(head.values('host'), ['site.test']);
  assert.deepEqual(head.values('x-forwarded-host'), ['site.test']);
  assert.deepEqual(head.values('origin'), ['http://site.test']);
  assert.deepEqual(head.values('referer'), ['http://site.test/page']);
  assert.deepEqual(head.values('cookie'), ['a=2']);
});

test('behind a trusted proxy with TLS, our own origin is the one of https', async (t) => {
  const { proxy, origin } = await startMountScene(t, {
    answer: `HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n`,
    config: { trustedProxies: ['127.0.0.1'] },
  });
  const lines = ['X-Forwarded-Proto: https', 'Origin: https://site.test'];
  const answer = await ask(t, proxy.port, get('/chat/x', ...lines));
  assert.deepEqual(lastHead(origin).values('origin'), [OWN(origin.port)]);
  assert.deepEqual(answer.values('set-cookie'), ['chat~a=1; Path=/chat; Secure; SameSite=Lax']);
});

test('what would speak for the whole site does not pass from a Comet origin', async (t) => {
  const policy = [
    ...['Access-Control-Allow-Origin: *', 'access-control-allow-credentials: true'],
    ...['Strict-Transport-Security: max-age=1', 'Alt-Svc: h3=":443"', 'Clear-Site-Data: "*"'],
    ...['Service-Worker-Allowed: /', 'X-Kept: 1', 'Vary: Origin', 'Content-Length: 2'],
  ];
  const answer = `HTTP/1.1 200 OK\r\n${policy.join('\r\n')}\r\n\r\nok`;
  const { proxy } = await startMountScene(t, { answer });
  const { headers } = await ask(t, proxy.port, get('/chat/x', 'Origin: http://site.test'));
  const names = headers
    .map(([name]) => name.toLowerCase())
    .filter((name) => !/^(?:date|connection|keep-alive)$/.test(name));
  assert.deepEqual(names, ['x-kept', 'vary', 'content-length']);
});

test('redirects of a Comet origin stay at the mount, whichever name it uses', async (t) => {
  const origin = await startUpstream(t, (req, res) => {
    res.writeHead(302, { location: String(req.headers['x-location']) }).end();
  });
  const comet = { '/chat': `${origin.url}/bayeux/` };
  const proxy = await startTestProxy(t, { site: origin.url, comet });
  const locations: Record<string, string> = {
    [`${origin.url}/bayeux/x?y`]: '/chat/x?y',
    [`//127.0.0.1:${origin.port}/bayeux/`]: '/chat/',
    '/bayeux/x': '/chat/x',
    '../bayeux/x': '/chat/x',
    'http://site.test/chat/x': '/chat/x',
    'https://site.test/chat/x': 'https://site.test/chat/x',
    'https://evil.test/bayeux/': 'https://evil.test/bayeux/',
  };
  for (const [location, expected] of Object.entries(locations)) {
    const { values } = await ask(t, proxy.port, get('/chat/login', `X-Location: ${location}`));
    const seen = new URL(values('location')[0] ?? '', 'http://site.test/chat/login');
    assert.equal(seen.href, new URL(expected, 'http://site.test/').href);
  }
});
