import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWantedUrls } from '../../src/live/stream-query.ts';
import type { ErrorCode } from '../../src/shared/errors.ts';

const OWN = 'https://shop.example:8443';
const parse = (query: string) => parseWantedUrls(new URLSearchParams(query), OWN, 3);

/** What a URL has that stands alone. */
const NOTHING = { name: '', since: undefined, content: undefined, ticket: undefined };

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
  '/a%23a%20name',
  '/a%23',
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
    { ...NOTHING, target: '/a', since: 'e-1' },
    { ...NOTHING, target: '/b' },
    { ...NOTHING, target: '/c', since: 'e-3' },
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

test('a name of the client\'s own stands behind a "#"', () => {
  const [wanted] = parse('url=/a%3Fb%23my-list_1');
  assert.deepEqual([wanted?.target, wanted?.name], ['/a?b', '#my-list_1']);
});

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const CONTENTS: [rule: string, query: string, type: string, body: string][] = [
  ['a body means POST, of JSON as such', 'body={"a":1}', JSON_TYPE, '{"a":1}'],
  ['of anything else as a form', 'body=a%3D1', FORM_TYPE, 'a=1'],
  ['of the type that is named', 'body={}&contentType=text/x-rpc', 'text/x-rpc', '{}'],
  ['POST may have no body', 'method=POST', FORM_TYPE, ''],
  ['the order is free', 'contentType=a/b&body=x&method=POST', 'a/b', 'x'],
];
for (const [rule, query, type, body] of CONTENTS) {
  test(`of the url before it: ${rule}`, () => {
    const [first, second] = parse(`url=/a&url=/b&${query}`);
    assert.equal(first?.content, undefined);
    assert.deepEqual(second?.content, { type, bytes: Buffer.from(body) });
  });
}

const NO_CONTENTS: [rule: string, query: string][] = [
  ['another method', 'url=/a&method=PUT'],
  ['a method in small letters', 'url=/a&method=post'],
  ['a GET with a body', 'url=/a&method=GET&body=x'],
  ['a type without a body', 'url=/a&contentType=a/b'],
  ['a type that would end its header', 'url=/a&body=x&contentType=a/b%0d%0aHost:x'],
  ['an empty type', 'url=/a&body=x&contentType='],
  ['a body before every url', 'body=x&url=/a'],
];
for (const [rule, query] of NO_CONTENTS) {
  test(`refused: ${rule}`, () => refused(query, 'BAD_PARAMETER'));
}

test('two bodies of one url have names', () => {
  const names = parse('url=/a%23x&body=x&url=/a%23y&body=y').map(({ name }) => name);
  assert.deepEqual(names, ['#x', '#y']);
});

test('parameters that we do not know are left alone', () => {
  assert.deepEqual(parse('_=17&url=/a&t&__proto__=1'), [{ ...NOTHING, target: '/a' }]);
});

test('a ticket belongs to the url before it, and stands in place of a body', () => {
  assert.deepEqual(parse('url=/a&ticket=t1&url=/b'), [
    { ...NOTHING, target: '/a', ticket: 't1' },
    { ...NOTHING, target: '/b' },
  ]);
  refused('ticket=t1&url=/a', 'BAD_PARAMETER');
  for (const carried of ['body=x', 'method=GET', 'contentType=text/plain']) {
    refused(`url=/a&ticket=t1&${carried}`, 'BAD_PARAMETER');
  }
});
