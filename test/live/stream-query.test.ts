import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWantedUrls } from '../../src/live/stream-query.ts';
import type { ErrorCode } from '../../src/shared/errors.ts';

const OWN = 'https://shop.example:8443';
const parse = (query: string) => parseWantedUrls(new URLSearchParams(query), OWN, 3);

/** The targets of a query. */
const targets = (query: string) => parse(query).map(({ target }) => target);

const refused = (query: string, code: ErrorCode) =>
  assert.throws(() => parse(query), { code }, query);

const TARGETS: [rule: string, url: string, target: string][] = [
  ['a path', '/api/status', '/api/status'],
  ['the root', '/', '/'],
  ['a path that is encoded', '%2Fapi%2Fstatus%3Fa%3D1%26b%3D2', '/api/status?a=1&b=2'],
  ['a query that stands bare', '/api/status?a=1', '/api/status?a=1'],
  ['escapes inside it stay as they were', '/a%2520b%253F', '/a%20b%3F'],
  ['an absolute URL of our own', `${OWN}/api/status?x`, '/api/status?x'],
  ['our own origin in other letters', 'HTTPS://Shop.Example:8443/A', '/A'],
  ['our own host without a scheme', '//shop.example:8443/a', '/a'],
  ['double slashes inside a path', '/a//b', '/a//b'],
];

for (const [rule, url, target] of TARGETS) {
  test(`a url may be ${rule}`, () => assert.deepEqual(targets(`url=${url}`), [target]));
}

const FOREIGN = [
  '',
  'api/status',
  './a',
  'https://evil.example/a',
  '//evil.example/a',
  '///evil.example/a',
  'http://shop.example:8443/a', // another scheme
  'https://shop.example/a', // another port
  'https://shop.example:84430/a', // a look-alike
  'https://shop.example:8443.evil.example/a',
  'https://shop.example:8443@evil.example/a',
  '//shop.example:8443.evil.example/a',
  OWN, // no path
  'javascript:alert(1)',
  'file:///etc/passwd',
  '%5C%5Cevil.example/a',
  '/%5Cevil.example/a',
  '/a%23fragment',
  '/a%20b',
  '/a%0d%0aHost:%20evil',
  '/a%00',
  '/%C3%A9',
];

for (const url of FOREIGN) {
  test(`a url may not be ${JSON.stringify(url)}`, () => refused(`url=${url}`, 'BAD_URL'));
}

test('a query may have no url', () => {
  for (const query of ['', 'padding=1', '_=1', 'URL=/a']) assert.deepEqual(targets(query), []);
});

test('a since belongs to the url before it', () => {
  assert.deepEqual(parse('url=/a&since=e-1&url=/b&url=/c&since=e-3'), [
    { target: '/a', since: 'e-1' },
    { target: '/b', since: undefined },
    { target: '/c', since: 'e-3' },
  ]);
});

test('a since that stands before every url is a mistake', () => {
  refused('since=e-1&url=/a', 'BAD_PARAMETER');
});

test('a since that cannot be ours is the same as none', () => {
  for (const since of ['', 'a%20b', 'a%0ab', `${'x'.repeat(129)}`]) {
    assert.equal(parse(`url=/a&since=${since}`)[0]?.since, undefined);
  }
});

test('a stream has no more urls than allowed', () => {
  assert.deepEqual(targets('url=/a&url=/b&url=/c'), ['/a', '/b', '/c']);
  refused('url=/a&url=/b&url=/c&url=/d', 'BAD_PARAMETER');
});

test('parameters that we do not know are left alone', () => {
  assert.deepEqual(parse('_=17&url=/a&t&__proto__=1'), [{ target: '/a', since: undefined }]);
});
