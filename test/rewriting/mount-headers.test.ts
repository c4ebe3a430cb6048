import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MountExchange } from '../../src/passthrough/mount-rewriting.ts';
import { mountRewriting } from '../../src/passthrough/mount-rewriting.ts';
import { clientOf, MOUNTS, UPSTREAMS } from './upstreams.ts';

const { bayeux, site } = UPSTREAMS;
const MOUNT: MountExchange = {
  downstream: clientOf('https://shop.example'),
  mapping: bayeux,
  mappings: MOUNTS,
  requestTarget: '/bayeux/a/b?c',
  preserveHost: false,
  passesCredentials: false,
  cookies: { prefix: bayeux.prefix, path: bayeux.path, shared: new Set() },
};
const SITE: MountExchange = { ...MOUNT, mapping: site, mappings: [site], cookies: undefined };

function request(headers: string[], exchange: MountExchange = MOUNT): string[] {
  return mountRewriting(exchange).request(headers);
}

function response(headers: string[], exchange: MountExchange = MOUNT): string[] {
  return mountRewriting(exchange).response({ method: 'GET', status: 200, headers }).headers;
}

const ORIGINS: Record<string, string> = {
  'https://shop.example': 'https://push.example',
  'HTTPS://Shop.example': 'https://push.example',
  'http://shop.example': 'http://shop.example',
  'https://shop.example:8443': 'https://shop.example:8443',
  'https://shop.example.evil': 'https://shop.example.evil',
  'https://evil.example': 'https://evil.example',
  null: 'null',
  '': '',
};
for (const [sent, seen] of Object.entries(ORIGINS)) {
  test(`only our own Origin becomes the upstream's: ${sent || 'an empty one'}`, () => {
    assert.deepEqual(request(['Origin', sent]), ['Origin', seen]);
    assert.deepEqual(request(['Origin', sent], { ...MOUNT, preserveHost: true }), ['Origin', sent]);
  });
}

test('an Origin is not invented', () => {
  assert.deepEqual(request(['X', '1']), ['X', '1']);
});

const REFERERS: Record<string, string> = {
  'https://shop.example/chat/x?y': 'https://push.example/bayeux/x?y',
  'https://shop.example/chat': 'https://push.example/bayeux',
  'https://SHOP.example/chat/X': 'https://push.example/bayeux/X',
  // The paths of the site's own pages are nobody else's business.
  'https://shop.example/orders/7?token=secret': 'https://push.example/',
  'https://shop.example/chatter': 'https://push.example/',
  'https://shop.example/': 'https://push.example/',
  'https://shop.example': 'https://push.example/',
  'https://shop.example.evil/chat/x': 'https://shop.example.evil/chat/x',
  'https://shop.example:8443/chat/x': 'https://shop.example:8443/chat/x',
  'https://shop.example@evil/chat/x': 'https://shop.example@evil/chat/x',
  'http://shop.example/chat/x': 'http://shop.example/chat/x',
  'https://evil.example/https://shop.example/chat':
    'https://evil.example/https://shop.example/chat',
  'about:blank': 'about:blank',
};
for (const [sent, seen] of Object.entries(REFERERS)) {
  test(`only our own Referer becomes the upstream's: ${sent}`, () => {
    assert.deepEqual(request(['Referer', sent]), ['Referer', seen]);
    assert.deepEqual(request(['referer', sent], { ...MOUNT, preserveHost: true }), [
      'referer',
      sent,
    ]);
  });
}

test('a site that gets its own Host gets its own Origin and Referer, and all cookies', () => {
  const sent = [
    'Origin',
    'https://shop.example',
    'Referer',
    'https://shop.example/a?b',
    'Cookie',
    'a=1',
  ];
  const seen = [
    'Origin',
    'http://legacy:3000',
    'Referer',
    'http://legacy:3000/a?b',
    'Cookie',
    'a=1',
  ];
  assert.deepEqual(request(sent, SITE), seen);
});

test('the cookies of several lines become one line, of what is the upstream to see', () => {
  const sent = ['X', '1', 'Cookie', 'chat~a=1; S=2', 'cookie', 'chat~b=3', 'Y', '2'];
  assert.deepEqual(request(sent), ['X', '1', 'Y', '2', 'Cookie', 'a=1; b=3']);
  assert.deepEqual(request(['Cookie', 'S=2']), []);
  assert.deepEqual(request(sent, { ...MOUNT, preserveHost: true }).at(-1), 'a=1; b=3');
});

test('everything else of a request passes byte for byte, in order', () => {
  const sent = ['Accept', 'x', 'X-Caf\xe9', '\xff', 'accept', 'y', 'Sec-Fetch-Site', 'same-origin'];
  assert.deepEqual(request(sent), sent);
});

const OF_URLS: readonly (readonly [name: string, value: string, expected: string])[] = [
  ['Location', 'https://push.example/bayeux/x', '/chat/x'],
  ['content-location', '/bayeux/x', '/chat/x'],
  ['SourceMap', '/bayeux/x.map', '/chat/x.map'],
  ['X-SourceMap', 'https://push.example/bayeux/x.map', '/chat/x.map'],
  ['Refresh', '5; url=https://push.example/bayeux/x', '5; url=/chat/x'],
  ['Link', '<https://push.example/bayeux/x>; rel=next', '</chat/x>; rel=next'],
];
for (const [name, value, expected] of OF_URLS) {
  test(`a URL in ${name} becomes one of the mount`, () => {
    assert.deepEqual(response([name, value]), [name, expected]);
  });
}

const FOR_ALL_OF_THE_SITE = [
  'Access-Control-Allow-Origin',
  'access-control-allow-credentials',
  'Access-Control-Expose-Headers',
  'Access-Control-Allow-Methods',
  'Access-Control-Allow-Headers',
  'Access-Control-Max-Age',
  'Access-Control-Allow-Private-Network',
  'Strict-Transport-Security',
  'Public-Key-Pins',
  'Public-Key-Pins-Report-Only',
  'Expect-CT',
  'Alt-Svc',
  'Alt-Used',
  'Clear-Site-Data',
  'Service-Worker-Allowed',
  'Origin-Agent-Cluster',
  'Cross-Origin-Opener-Policy',
  'Cross-Origin-Embedder-Policy',
  'Permissions-Policy',
  'Document-Policy',
  'Referrer-Policy',
  'NEL',
  'Report-To',
  'Reporting-Endpoints',
  'Accept-CH',
  'Critical-CH',
];
test('a Comet origin does not speak for the site, the site does', () => {
  const all = FOR_ALL_OF_THE_SITE.flatMap((name) => [name, 'x']);
  assert.deepEqual(response(['A', '1', ...all, 'B', '2']), ['A', '1', 'B', '2']);
  assert.deepEqual(response(all, SITE), all);
});

test('everything else of an answer passes byte for byte, in order', () => {
  const sent = [
    ...[
      'Content-Type',
      'text/event-stream',
      'Etag',
      '0',
      'Last-Modified',
      'x',
      'X-Caf\xe9',
      '\xff',
    ],
    ...['Vary', 'Origin', 'x-frame-options', 'DENY', 'Cross-Origin-Resource-Policy', 'same-origin'],
    ...['Content-Length', '5', 'WWW-Authenticate', 'Basic realm="x"', 'Cache-Control', 'no-store'],
  ];
  assert.deepEqual(response(sent), sent);
});

test('each cookie of an answer is mapped, in a line of its own', () => {
  const sent = [
    'Set-Cookie',
    'a=1; Path=/',
    'X',
    '1',
    'set-cookie',
    'b=2; Path=/bayeux/x; Domain=push.example',
  ];
  assert.deepEqual(response(sent), [
    ...['Set-Cookie', 'chat~a=1; Path=/chat; Secure; SameSite=Lax', 'X', '1'],
    ...['set-cookie', 'chat~b=2; Path=/chat/x; Secure; SameSite=Lax'],
  ]);
  assert.deepEqual(response(sent, SITE), sent);
});

test("a Comet document's own policy allows at the mount what it allowed at the origin", () => {
  const policy = ['Content-Security-Policy', "script-src https://push.example 'nonce-x'"];
  assert.deepEqual(response(policy), ['Content-Security-Policy', "script-src 'self' 'nonce-x'"]);
});

const CREDENTIALS: Record<string, boolean> = {
  'Basic c2l0ZTpzZWNyZXQ=': false,
  'basic c2l0ZTpzZWNyZXQ=': false,
  'Digest username="site"': false,
  'Negotiate abc': false,
  'Bearer token': true,
  'Basically mine': true,
};
for (const [value, passes] of Object.entries(CREDENTIALS)) {
  test(`what a browser says of the site's login is not for the Comet origin: ${value}`, () => {
    const sent = ['Authorization', value];
    assert.deepEqual(mountRewriting(MOUNT).request(sent), passes ? sent : []);
    const asked = mountRewriting({ ...MOUNT, passesCredentials: true });
    assert.deepEqual(asked.request(sent), sent);
  });
}
