import assert from 'node:assert/strict';
import { test } from 'node:test';
import { haveSameCredentials } from '../../src/live/credentials.ts';

const parts = (entries: Readonly<Record<string, string>>) =>
  new Map(Object.entries(entries).map(([name, value]) => [name, [value]] as const));

const CASES: readonly [rule: string, poll: object, logout: object, isSame: boolean][] = [
  ['the same cookie', { cookie: 's=1' }, { cookie: 's=1' }, true],
  ['another cookie', { cookie: 's=1' }, { cookie: 's=2' }, false],
  ['no cookie', { cookie: 's=1' }, {}, false],
  [
    'a token of scripts that a form has not',
    { cookie: 's=1', 'x-csrf': 'a' },
    { cookie: 's=1' },
    true,
  ],
  ['another token', { cookie: 's=1', 'x-csrf': 'a' }, { cookie: 's=1', 'x-csrf': 'b' }, false],
  ['a token alone', { 'x-token': 'a' }, {}, false],
  ['nothing', { host: 'a' }, { host: 'a' }, false],
];
for (const [rule, poll, logout, isSame] of CASES) {
  test(`a logout with ${rule} is ${isSame ? '' : 'not '}of that session`, () => {
    const polled = parts(poll as Record<string, string>);
    assert.equal(haveSameCredentials(polled, parts(logout as Record<string, string>)), isSame);
  });
}
