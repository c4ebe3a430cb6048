import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRouter } from '../../src/server/router.ts';
import { parsePattern } from '../../src/shared/path-pattern.ts';

const router = createRouter(
  [
    '/api/**',
    '/api/orders/*',
    '/api/orders/open',
    '/api/:kind/open',
    '/api/orders/:id/items',
    '/caf\u00e9',
    '/exact/',
  ].map((source) => ({ pattern: parsePattern(source) })),
  [],
);

const LIVE: Record<string, string> = {
  '/api/orders/open': '/api/orders/open',
  '/api/orders/open?x=/../y': '/api/orders/open',
  '/api/orders/%6Fpen': '/api/orders/open',
  '/api/orders/7': '/api/orders/*',
  '/api/orders/7/items': '/api/orders/:id/items',
  '/api/orders/7/other': '/api/**',
  '/api/users/open': '/api/:kind/open',
  '/api/users/closed': '/api/**',
  '/api/': '/api/**',
  '/caf%C3%A9': '/caf\u00e9',
  '/exact/': '/exact/',
};

for (const [target, source] of Object.entries(LIVE)) {
  test(`the most specific pattern wins: ${target} is ${source}`, () => {
    const match = router(target);
    assert.equal(match.kind === 'live' && match.endpoint.pattern.source, source);
  });
}

const SITE = [
  '/',
  '/API/orders/open',
  '/apix',
  '/exact',
  '/exact/x',
  '//api/orders/open',
  '/api/../api/orders/open',
  '/api/./orders/open',
  '/api/%2e%2e/x',
  '/api/orders/open;x=.css',
  '/api/orders%2Fopen',
  '/api/orders\\open',
  '/api/orders/%',
  '/api/orders/%ff',
  '/api/orders/%00',
  '/_cometx',
  '/x/_comet/',
];

for (const target of SITE) {
  test(`a path that another server could read in another way is the site's: ${target}`, () => {
    assert.equal(router(target).kind, 'site');
  });
}

test('our own path is ours in any spelling, whatever patterns there are', () => {
  const greedy = createRouter([{ pattern: parsePattern('/**') }], []);
  const own = ['/_comet', '/_comet/', '/_comet/x?y', '/%5fcomet/x', '/%5F%63omet', '/_comet%2fx'];
  assert.deepEqual(
    own.map((target) => greedy(target).kind),
    own.map(() => 'own'),
  );
  assert.equal(greedy('/_cometary').kind, 'live');
});
