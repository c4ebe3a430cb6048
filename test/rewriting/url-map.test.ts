import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mapping } from '../../src/passthrough/url-map.ts';
import { mappingOf, toPublicReference, toUpstreamUrl } from '../../src/passthrough/url-map.ts';
import { MOUNTS, UPSTREAMS } from './upstreams.ts';

/** The path of the site that stands for what an upstream wrote. */
function mapped(reference: string, base: Mapping, requestPath: string): string | undefined {
  const publicAuthority = 'shop.example';
  return toPublicReference(reference, {
    mapping: base,
    mappings: MOUNTS,
    requestPath,
    publicAuthority,
  });
}

const OF_BAYEUX: Record<string, string | undefined> = {
  // Absolute.
  'https://push.example/bayeux/x': '/chat/x',
  'https://push.example/bayeux': '/chat',
  'https://push.example/bayeux/': '/chat/',
  'https://push.example/bayeux?x=1#f': '/chat?x=1#f',
  'https://push.example/bayeux#f': '/chat#f',
  'HTTPS://PUSH.Example/bayeux/X%2fy?Q=%20+&a=b;c': '/chat/X%2fy?Q=%20+&a=b;c',
  'https://push.example/bayeux/caf\xc3\xa9?\xff': '/chat/caf\xc3\xa9?\xff',
  'http://push.example/bayeux/x': '/chat/x',
  '//push.example/bayeux/x': '/chat/x',
  'https://push.example:443/bayeux/x': '/chat/x',
  'wss://push.example/bayeux/ws': '/chat/ws',
  'https://push.example/bayeux//x': '/chat//x',
  'https://push.example/bayeux/x?u=https://push.example/bayeux/':
    '/chat/x?u=https://push.example/bayeux/',
  // Other mounts' origins.
  'https://push.example/bayeux/admin/x': '/chat-admin/x',
  'https://push.example/bayeux/administer': '/chat/administer',
  'http://node.example:8000/socket.io/?EIO=4': '/live/io/socket.io/?EIO=4',
  'http://node.example:8000': '/live/io',
  'https://faye.example/faye/client.js': '/faye/client.js',
  // The same host, but not what is mounted.
  'https://push.example/bayeuxx': undefined,
  'https://push.example/Bayeux/x': undefined,
  'https://push.example/other/bayeux/': undefined,
  'https://push.example/': undefined,
  'https://push.example': undefined,
  // Hosts that only look alike.
  'https://push.example.evil/bayeux/x': undefined,
  'https://xpush.example/bayeux/x': undefined,
  'https://push.example./bayeux/x': undefined,
  'https://push.example:8443/bayeux/x': undefined,
  'https://push.example:44/bayeux/x': undefined,
  'https://user@push.example/bayeux/x': undefined,
  'https://user:secret@push.example/bayeux/x': undefined,
  'https://push.example@evil.example/bayeux/x': undefined,
  'https://evil.example/bayeux/x': undefined,
  'https://evil.example?https://push.example/bayeux/': undefined,
  'http://node.example/x': undefined,
  'ftp://push.example/bayeux/x': undefined,
  'https:push.example/bayeux/x': undefined,
  'mailto:a@push.example': undefined,
  'about:blank': undefined,
  // Paths.
  '/bayeux/x': '/chat/x',
  '/bayeux': '/chat',
  '/bayeux?x=1': '/chat?x=1',
  '/bayeux#x': '/chat#x',
  '/other': undefined,
  '/bayeuxx': undefined,
  // Relative ones that stay inside of both.
  x: 'x',
  './x?y=../z': './x?y=../z',
  'x/y#..': 'x/y#..',
  '?x=1': '?x=1',
  '#x': '#x',
  // Relative ones that climb.
  '../x': '/chat/x',
  '../x?y=1#z': '/chat/x?y=1#z',
  '..': '/chat/',
  '../../bayeux/x': '/chat/x',
  '../caf%C3%A9?q=%20': '/chat/caf%C3%A9?q=%20',
  '': undefined,
};

for (const [reference, path] of Object.entries(OF_BAYEUX)) {
  test(`a URL of an origin with a path, as a path of the site: ${reference} is ${path}`, () => {
    assert.equal(mapped(reference, UPSTREAMS.bayeux, '/bayeux/a/b'), path);
  });
}

const OF_IO: Record<string, string | undefined> = {
  '/x': '/live/io/x',
  '/': '/live/io/',
  '/?x': '/live/io/?x',
  '/live/io/x': '/live/io/live/io/x',
  'http://NODE.example:8000?x': '/live/io?x',
  'http://node.example/x': undefined,
  '../x': '/live/io/x',
  '../../../x': '/live/io/x',
};

for (const [reference, path] of Object.entries(OF_IO)) {
  test(`a URL of an origin without a path, as a path of the site: ${reference} is ${path}`, () => {
    assert.equal(mapped(reference, UPSTREAMS.io, '/a/b'), path);
  });
}

test('a path of the same host that is mounted elsewhere is that of the other mount', () => {
  const { admin } = UPSTREAMS;
  assert.equal(mapped('/bayeux/x', admin, '/bayeux/admin/a'), '/chat/x');
  assert.equal(mapped('../x', admin, '/bayeux/admin/a'), '/chat/x');
  assert.equal(mapped('/other', admin, '/bayeux/admin/a'), undefined);
});

const NO_URLS = [
  '\\\\[..',
  '\\\\a:b\\..',
  '..//[',
  '../\\\\[',
  '%',
  '../%',
  '//',
  '///',
  'x\\..\\',
  '..\t',
];
for (const reference of NO_URLS) {
  test(`what is hardly a URL harms nobody: ${JSON.stringify(reference)}`, () => {
    for (const base of [...MOUNTS, UPSTREAMS.site]) {
      assert.doesNotThrow(() => mapped(reference, base, `${base.path}/x`));
    }
  });
}

test('origins are known by their default port too, and by no other', () => {
  const authorities = (url: string) => mappingOf(new URL(url), '/x').authorities.toSorted();
  assert.deepEqual(authorities('https://a.example'), ['a.example', 'a.example:443']);
  assert.deepEqual(authorities('http://A.example:80/'), ['a.example', 'a.example:80']);
  assert.deepEqual(authorities('http://a.example:443'), ['a.example:443']);
  assert.deepEqual(authorities('http://[::1]:8000'), ['[::1]:8000']);
});

const TO_UPSTREAM: readonly (readonly [base: Mapping, path: string, url: string | undefined])[] = [
  [UPSTREAMS.bayeux, '/chat', 'https://push.example/bayeux'],
  [UPSTREAMS.bayeux, '/chat/', 'https://push.example/bayeux/'],
  [UPSTREAMS.bayeux, '/chat/x%2F?y#z', 'https://push.example/bayeux/x%2F?y#z'],
  [UPSTREAMS.bayeux, '/chat?x', 'https://push.example/bayeux?x'],
  [UPSTREAMS.bayeux, '/chatter', undefined],
  [UPSTREAMS.bayeux, '/Chat/', undefined],
  [UPSTREAMS.bayeux, '/', undefined],
  [UPSTREAMS.io, '/live/io', 'http://node.example:8000/'],
  [UPSTREAMS.io, '/live/io?x', 'http://node.example:8000/?x'],
  [UPSTREAMS.io, '/live', undefined],
  [UPSTREAMS.faye, '/faye/x', 'https://faye.example/faye/x'],
  [UPSTREAMS.site, '/x', 'http://legacy:3000/x'],
];
for (const [base, path, url] of TO_UPSTREAM) {
  test(`a path of the site as a URL of ${base.origin}${base.path}: ${path} is ${url}`, () => {
    assert.equal(toUpstreamUrl(path, base), url);
  });
}
