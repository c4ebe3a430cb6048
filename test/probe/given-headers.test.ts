import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VaryItem } from '../../src/config/vary.ts';
import { unkeyedParts, unsendable, withGiven } from '../../src/probe/given-headers.ts';

test('given headers take the place of those of a poll, whatever their case', () => {
  const poll = ['accept', '*/*', 'host', 'a'];
  assert.deepEqual(withGiven(poll, ['Accept', 'text/html', 'Cookie', 'a=1', 'Cookie', 'b=2']), [
    ...['host', 'a', 'accept', 'text/html', 'cookie', 'a=1', 'cookie', 'b=2'],
  ]);
});

test('what frames a request, or says what is known, is not taken from given headers', () => {
  const given = ['Content-Length', '5', 'Host', 'b', 'Accept-Encoding', 'br', 'If-None-Match', '*'];
  const more = ['Connection', 'close', 'Via', 'x', 'Transfer-Encoding', 'chunked', 'X-A', '1'];
  assert.deepEqual(withGiven(['host', 'a'], [...given, ...more]), ['host', 'a', 'x-a', '1']);
  assert.deepEqual(unsendable([...given, ...more, 'X-Forwarded-For', '::1']), [
    ...['content-length', 'accept-encoding', 'if-none-match', 'connection', 'via'],
    'transfer-encoding',
  ]);
});

const SESSION: VaryItem = { kind: 'cookie', name: 'S' };
const PARTS: readonly [rule: string, given: string[], vary: VaryItem[], parts: string[]][] = [
  ['cookies go by their names', ['Cookie', 'S=1; b=2;'], [SESSION], ['cookie:b']],
  ['all cookies are carried', ['Cookie', 'S=1; b=2'], [{ kind: 'cookies' }], []],
  ['a header that is carried', ['X-Tenant', '1'], [{ kind: 'header', name: 'x-tenant' }], []],
  ['a header that is not', ['X-Tenant', '1'], [], ['x-tenant']],
  [
    'credentials alone',
    ['Accept', 'a', 'Authorization', 'x', 'X-Csrf-Token', 'y'],
    [],
    ['authorization', 'x-csrf-token'],
  ],
  ['others where there are none', ['Accept', 'a', 'Accept', 'b', 'Host', 'x'], [], ['accept']],
];
for (const [rule, given, vary, parts] of PARTS) {
  test(`what polls do not carry: ${rule}`, () => {
    assert.deepEqual(unkeyedParts(given, vary), parts);
  });
}
