import assert from 'node:assert/strict';
import { test } from 'node:test';
import { http1Headers } from '../../src/server/http1-headers.ts';
import { http2Headers } from '../../src/server/http2-headers.ts';

const PSEUDO = [
  ...[':method', 'GET', ':scheme', 'https'],
  ...[':authority', 'Site.test:8443', ':path', '/'],
];
const withHeaders = (...headers: string[]) => http1Headers([...PSEUDO, ...headers]);

test('the authority is the host, as the client wrote it', () => {
  assert.deepEqual(withHeaders('x', 'y').headers, ['host', 'Site.test:8443', 'x', 'y']);
  assert.deepEqual(withHeaders('host', 'site.TEST:8443').headers, ['host', 'Site.test:8443']);
  assert.deepEqual(http1Headers([':method', 'GET', 'host', 'a']).headers, ['host', 'a']);
  assert.deepEqual(http1Headers([':method', 'GET']).headers, [], 'the guard asks for one');
});

test('crumbs of a cookie become one line again', () => {
  const { headers } = withHeaders('cookie', 'a=1', 'x', 'y', 'cookie', 'b=2; c=3');
  assert.deepEqual(headers.slice(2), ['x', 'y', 'cookie', 'a=1; b=2; c=3']);
});

test('a body whose length is not said is one in chunks', () => {
  const of = (...headers: string[]) => http1Headers(headers, { mayHaveBody: true }).headers;
  assert.deepEqual(of(), ['transfer-encoding', 'chunked']);
  assert.deepEqual(of('content-length', '3'), ['content-length', '3']);
  assert.deepEqual(http1Headers([], { mayHaveBody: false }).headers, []);
});

test('order, duplicates and bytes stay', () => {
  const headers = ['x-b', '1', 'x-a', 'caf\xe9', 'x-b', '', 'te', 'trailers', 'x-c', 'a\tb'];
  assert.deepEqual(withHeaders(...headers).headers.slice(2), headers);
});

const REFUSED: Record<string, readonly string[]> = {
  'a line feed in a value': ['x', 'a\nb: c'],
  'a carriage return in a value': ['x', 'a\rb'],
  'NUL in a value': ['x', 'a\0b'],
  'a control character in a value': ['x', 'a\x7fb'],
  'a space before a value': ['x', ' a'],
  'a space behind a value': ['x', 'a '],
  'a line feed in a name': ['x\ny', 'a'],
  'a colon in a name': ['x: y', 'a'],
  'a space in a name': ['x y', 'a'],
  'a name in upper case': ['X', 'a'],
  'an empty name': ['', 'a'],
  'a coding of the transfer': ['transfer-encoding', 'chunked'],
  'a word for the connection': ['connection', 'close'],
  'an old word for the connection': ['proxy-connection', 'close'],
  'a time to keep the connection': ['keep-alive', 'timeout=5'],
  'an upgrade': ['upgrade', 'h2c'],
  'settings of HTTP/2': ['http2-settings', 'AAMAAABk'],
  'other transfer codings': ['te', 'gzip'],
  'another host': ['host', 'evil.test'],
  'two hosts': ['host', 'Site.test:8443', 'host', 'Site.test:8443'],
  'two lengths': ['content-length', '3', 'content-length', '3'],
  'a list of lengths': ['content-length', '3, 3'],
  'a signed length': ['content-length', '+3'],
  'an empty length': ['content-length', ''],
  'a pseudo-header behind a header': ['x', 'a', ':path', '/other'],
};

for (const [name, headers] of Object.entries(REFUSED)) {
  test(`what HTTP/1 would read in another way is refused: ${name}`, () => {
    const read = withHeaders(...headers);
    assert.deepEqual(read.headers, []);
    assert.ok(read.problem);
  });
}

test('a line feed in the path or the host is refused too', () => {
  for (const name of [':path', ':authority', ':method']) {
    assert.ok(http1Headers([name, 'a\r\nb: c']).problem, name);
  }
});

test('an answer has one line for each name, and nothing of the connection', () => {
  const list = ['X-A', '1', 'Connection', 'x', 'x-a', '2', 'Link', 'a', 'link', 'b', 'Via', 'c'];
  assert.deepEqual({ ...http2Headers(list) }, { 'x-a': '1, 2', link: ['a', 'b'], via: 'c' });
  const object = { 'X-A': ['1', '2'], 'set-cookie': ['a', 'b'], upgrade: 'x', n: 3, u: undefined };
  assert.deepEqual(
    { ...http2Headers(object) },
    { 'x-a': '1, 2', 'set-cookie': ['a', 'b'], n: '3' },
  );
});

test('names of an answer are never those of an object', () => {
  const headers = http2Headers(['__proto__', 'a', 'constructor', 'b']);
  assert.deepEqual(Object.entries(headers), [
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ]);
});
