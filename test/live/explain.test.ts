import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readQuestion, targetOf } from '../../src/live/asked-request.ts';
import { explained } from './explain-asked.ts';

const live = { '/api/status': '2s', '/api/orders/**': { every: '1s..30s', vary: [] } };
const comet = { '/chat/': 'http://127.0.0.1:4000/' };
const config = { live, comet };

test('a live URL is told with its pattern, and without what only defeats caches', () => {
  const { url, route, pattern, why } = explained(config, '/api/status?_=17&page=2');
  assert.deepEqual(
    { url, route, pattern, why },
    {
      url: '/api/status?page=2',
      route: 'live',
      pattern: '/api/status',
      why: 'matches "/api/status"',
    },
  );
});

const ROUTES: readonly [target: string, route: string, why: RegExp][] = [
  ['/', 'site', /^matches no pattern of "live"$/],
  ['/api/statuses', 'site', /^matches no pattern of "live"$/],
  ['/api/status/', 'site', /without the "\/" at its end it would match "\/api\/status"/],
  ['/API/Status', 'site', /in lower case it would match "\/api\/status"/],
  ['/api//status', 'site', /with single slashes it would match "\/api\/status"/],
  ['/api/status;v=1', 'site', /never live: servers read it in different ways/],
  ['/api/x/../status', 'site', /never live/],
  ['/chat/room', 'mount', /^under "\/chat\/" of "comet"$/],
  ['/chat', 'mount', /^under "\/chat\/" of "comet"$/],
  ['/chat/%2e%2e/api/status', 'refused', /^BAD_PATH: /],
  ['/_comet/sse?url=/api/status', 'own', /the proxy's own/],
  ['/%5Fcomet/refresh', 'own', /the proxy's own/],
];
for (const [target, route, why] of ROUTES) {
  test(`${target} goes to: ${route}`, () => {
    const told = explained(config, target);
    assert.equal(told.route, route);
    assert.match(told.why, why);
    assert.equal(told.sharing, undefined, 'nothing is shared of what is not live');
  });
}

test('a spelling that would be refused is not proposed', () => {
  const told = explained({ live: {}, comet: { '/Chat/': 'http://127.0.0.1:4000/' } }, '/x/%43hat');
  assert.equal(told.why, 'matches no pattern of "live"');
});

for (const method of ['POST', 'HEAD', 'DELETE', 'post']) {
  test(`another method goes to the site, and says so: ${method}`, () => {
    const told = explained(config, { target: '/api/orders/7', method });
    assert.equal(told.route, 'site');
    assert.equal(told.pattern, '/api/orders/**');
    const name = method.toUpperCase();
    assert.equal(told.why, `matches "/api/orders/**", but its method is ${name}`);
  });
}

const TARGETS: readonly [url: string, target: string][] = [
  ['/a?b=c', '/a?b=c'],
  ['http://shop.example/a?b', '/a?b'],
  ['HTTPS://Shop.Example:8443/A', '/A'],
  ['http://shop.example', '/'],
  ['http://[::1]:8080/a', '/a'],
  ['//a', ''],
  ['http://shop.example//a', '//a'],
  ['http://shop.example?a', ''],
  ['a', ''],
  ['', ''],
  ['ftp://shop.example/a', ''],
  ['/a#b', ''],
  ['/a\\b', ''],
  ['/a b', ''],
  ['/ü', ''],
];
for (const [url, target] of TARGETS) {
  test(`"${url}" asks about ${target || 'nothing'}`, () => {
    if (target === '') assert.throws(() => targetOf(url), { code: 'BAD_URL' });
    else assert.equal(targetOf(url), target);
  });
}

test('the URL says scheme and host, a Host header wins, and a bare path leaves both open', () => {
  const asked = (target: string, ...headers: string[]) => {
    const { scheme, host } = readQuestion({ target, method: 'GET', headers }).downstream;
    return `${scheme} ${host}`;
  };
  assert.equal(asked('https://Shop.Example:8443/a'), 'https shop.example:8443');
  assert.equal(asked('http://shop.example/a'), 'http shop.example');
  assert.equal(asked('http://127.0.0.1:8080/a', 'Host', 'Shop.example'), 'http shop.example');
  assert.equal(
    asked('/a', 'host', 'shop.example', 'X-Forwarded-Proto', 'https'),
    'https shop.example',
  );
  assert.equal(asked('http://a.example/a', 'X-Forwarded-Proto', 'https'), 'http a.example');
  assert.equal(asked('/a'), 'http ');
});

test('values that look like secrets are hidden in the URL', () => {
  const told = explained(config, '/api/status?access_token=s3cret&page=1');
  assert.equal(told.url, '/api/status?access_token=***&page=1');
  assert.doesNotMatch(JSON.stringify(explained(config, '/x?sid=s3cret')), /s3cret/);
});
