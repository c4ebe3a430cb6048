import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalTarget } from '../../src/live/channel-key.ts';

const IGNORED = ['_', '_uniq'];

const TABLE: [rule: string, target: string, expected: string][] = [
  ['a path stays', '/a', '/a'],
  ['a path of odd form stays', '//a/../b;c?d', '//a/../b;c?d'],
  ['a time goes', '/a?_=1700000000000', '/a'],
  ['a bare name goes', '/a?_', '/a'],
  ['an empty value goes', '/a?_=', '/a'],
  ['each of its kind goes', '/a?_=1&_=2&_uniq=3', '/a'],
  ['what is around it stays in order', '/a?b=2&_=1&a=1&b=1', '/a?b=2&a=1&b=1'],
  ['parameters without a name stay', '/a?=2&=0', '/a?=2&=0'],
  ['empty parameters stay', '/a?&x&&_=1&', '/a?&x&&'],
  ['an empty query stays', '/a?', '/a?'],
  ['an encoded name is the same name', '/a?%5F=1&%5Funiq=2&x=%5F', '/a?x=%5F'],
  ['a longer name is another one', '/a?__=1&_x=2&x_=3&_uniq2=4', '/a?__=1&_x=2&x_=3&_uniq2=4'],
  ['case matters', '/a?_UNIQ=1', '/a?_UNIQ=1'],
  ['a name that is no escape stays', '/a?%=1&%E0=2&_=3', '/a?%=1&%E0=2'],
  ['a value may hold anything', '/a?x=?_=1&_=a=b?c', '/a?x=?_=1'],
  ['the path is not looked at', '/_=1/_?x', '/_=1/_?x'],
];

for (const [rule, target, expected] of TABLE) {
  test(`the address of a channel: ${rule}`, () => {
    assert.equal(canonicalTarget(target, IGNORED), expected);
  });
}

test('nothing is taken out when nothing is ignored', () => {
  assert.equal(canonicalTarget('/a?_=1', []), '/a?_=1');
});

test('a name that the endpoint varies on stays although it is ignored', () => {
  assert.equal(canonicalTarget('/a?_=1&_uniq=2', IGNORED, ['_']), '/a?_=1');
});

test('only ignored parameters go, and asking again changes nothing', () => {
  const parameter = fc.stringMatching(/^[_a=%]{0,4}$/);
  fc.assert(
    fc.property(fc.array(parameter, { minLength: 1, maxLength: 6 }), (parameters) => {
      const target = `/p?${parameters.join('&')}`;
      const once = canonicalTarget(target, ['_']);
      assert.equal(canonicalTarget(once, ['_']), once);
      const left = parameters.filter((text) => text.split('=')[0] !== '_');
      assert.equal(once, left.length === 0 ? '/p' : `/p?${left.join('&')}`);
    }),
  );
});
