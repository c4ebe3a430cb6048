import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../src/config/load.ts';
import { createLivePaths } from '../../src/live/endpoint.ts';
import { planProbe } from '../../src/probe/plan.ts';
import { createRouter } from '../../src/server/router.ts';

const LIVE = { '/b': '2s', '/a/:id': '2s', '/ü': '2s', '/c/**': '2s' };
const RPC = {
  '/rpc': [
    { every: '2s', method: 'POST', match: { body: { '/method': 'get' } } },
    { every: '2s', match: { query: { view: 'all' } }, request: { query: { rid: '0' } } },
  ],
};

/** What becomes of these endpoints, as `pattern target scheme://host` or `pattern: why`. */
function planned(
  urls: readonly string[],
  headers: readonly string[] = [],
  live: object = LIVE,
  body?: string,
) {
  const config = checkConfig({ site: 'http://127.0.0.1:3000', live }, 'test');
  const livePaths = createLivePaths(config.live);
  const router = createRouter(livePaths, [{ prefix: '/chat' }]);
  const unknown = { host: 'legacy:81', scheme: 'http' } as const;
  const plan = planProbe(
    livePaths,
    { urls, headers, ...(body === undefined ? {} : { body }) },
    router,
    unknown,
  );
  const items = plan.items.map((item) => {
    if (item.kind === 'skipped') return `${item.endpoint.name}: ${item.why}`;
    const { wanted, downstream } = item;
    const body = wanted.content ? ` ${wanted.content.bytes}` : '';
    return `${wanted.endpoint.name} ${wanted.target} ${downstream.scheme}://${downstream.host}${body}`;
  });
  return { items, unmatched: plan.unmatched };
}

const B = '/b /b http://legacy:81';
const U = '/ü /%C3%BC http://legacy:81';
const A_WITHOUT = '/a/:id: give a URL of it with --url';
const C_WITHOUT = '/c/**: give a URL of it with --url';

test('an endpoint whose pattern is a path is probed there, others need a URL', () => {
  assert.deepEqual(planned([]).items, [B, A_WITHOUT, U, C_WITHOUT]);
});

test('URLs are probed in the place of their endpoint, without what only defeats caches', () => {
  const { items } = planned(['/c/1/2', '/a/7?x=1&_=99', '/b?q', '/a/8', '/a/7?x=1']);
  assert.deepEqual(items, [
    '/b /b?q http://legacy:81',
    '/a/:id /a/7?x=1 http://legacy:81',
    '/a/:id /a/8 http://legacy:81',
    U,
    '/c/** /c/1/2 http://legacy:81',
  ]);
});

test('the host and scheme of a URL count, else those that headers name', () => {
  const { items } = planned(['https://Shop.example/b']);
  assert.equal(items[0], '/b /b https://shop.example');
  const named = planned(['/b'], ['Host', 'shop.example:81', 'X-Forwarded-Proto', 'https']);
  assert.equal(named.items[0], '/b /b https://shop.example:81');
  const scheme = planned(['/b'], ['X-Forwarded-Proto', 'https']);
  assert.equal(scheme.items[0], '/b /b https://legacy:81');
});

const UNMATCHED: readonly [url: string, why: RegExp][] = [
  ['/B?token=s3cret', /in lower case it would match "\/b"$/],
  ['/chat/x', /^under "\/chat\/" of "comet"$/],
  ['/_comet/sse', /own$/],
  ['/chat/..', /^a path that servers read in different ways/],
  ['/b#top', /not a URL of this site/],
];
for (const [url, why] of UNMATCHED) {
  test(`${url} is of no endpoint, and why`, () => {
    const [first, ...rest] = planned([url, '/b']).unmatched;
    assert.match(first?.why ?? '', why);
    assert.doesNotMatch(JSON.stringify(first), /s3cret/);
    assert.deepEqual(rest, []);
  });
}

test('polls that differ from the request of the page are those that are sent', () => {
  assert.deepEqual(planned(['/rpc?view=all'], [], RPC).items, [
    '/rpc: give a URL of it with --url and --body',
    '/rpc (2) /rpc?view=all&rid=0 http://legacy:81',
  ]);
});

test('an endpoint of polls by POST is asked with a body that it means', () => {
  const json = ['Content-Type', 'application/json'];
  assert.deepEqual(planned(['/rpc'], json, RPC, '{"method":"get"}').items, [
    '/rpc /rpc http://legacy:81 {"method":"get"}',
    '/rpc (2): give a URL of it with --url',
  ]);
  const [unmatched] = planned(['/rpc'], json, RPC, '{"method":"set"}').unmatched;
  assert.match(unmatched?.why ?? '', /its body is not what "match" wants/);
});
