import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isGlob, matchesGlob } from '../../src/shared/glob.ts';

const CASES: readonly [pattern: string, text: string, matches: boolean][] = [
  ['', '', true],
  ['', 'a', false],
  ['a', '', false],
  ['FreeDiskSpaceMB', 'FreeDiskSpaceMB', true],
  ['FreeDiskSpace', 'FreeDiskSpaceMB', false],
  ['freeDiskSpace*', 'FreeDiskSpaceMB', false],
  ['FreeDiskSpace*', 'FreeDiskSpaceMB', true],
  ['FreeDiskSpace*', 'FreeDiskSpace', true],
  ['*', '', true],
  ['*', 'anything/at all\n', true],
  ['**', 'a', true],
  ['*?', '', false],
  ['?*', 'a', true],
  ['?', '', false],
  ['?', 'ab', false],
  ['?', '😀', true],
  ['*?', '😀', true],
  ['??', '😀', false],
  ['*_at', 'created_at', true],
  ['*_at', 'created_at_', false],
  ['a*b*c', 'aXbXbXc', true],
  ['a*b*c', 'aXcXb', false],
  ['*ab', 'aab', true],
  ['*aab', 'aaab', true],
  ['X-CSRF-Token-?????', 'X-CSRF-Token-ABCDE', true],
  ['a.c', 'abc', false],
  ['[a-z]+', '[a-z]+', true],
  ['[a-z]+', 'abc', false],
  ['a\\*', 'a\\anything', true],
  ['__proto__', '__proto__', true],
];
for (const [pattern, text, matches] of CASES) {
  const [p, t] = [JSON.stringify(pattern), JSON.stringify(text)];
  test(`the pattern ${p} ${matches ? 'matches' : 'does not match'} ${t}`, () => {
    assert.equal(matchesGlob(pattern, text), matches);
  });
}

test('a pattern matches what the regular expression of the same meaning matches', () => {
  const characters = fc.constantFrom('a', 'b', '*', '?', '.', '😀');
  const words = (...set: string[]) =>
    fc.array(fc.constantFrom(...set), { maxLength: 12 }).map((all) => all.join(''));
  fc.assert(
    fc.property(
      fc.array(characters, { maxLength: 8 }).map((all) => all.join('')),
      words('a', 'b', '.', '😀'),
      (pattern, text) => {
        const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.');
        assert.equal(matchesGlob(pattern, text), new RegExp(`^${source}$`, 'su').test(text));
      },
    ),
    { numRuns: 2_000 },
  );
});

test('a pattern of many stars is no way to stop the process', () => {
  // Tried in every combination these would take longer than the universe is old.
  assert.equal(matchesGlob(`${'a*'.repeat(100)}b`, 'a'.repeat(20_000)), false);
  assert.equal(matchesGlob(`${'*a?'.repeat(80)}b`, 'a'.repeat(20_000)), false);
});

test('only stars and question marks make a pattern', () => {
  assert.deepEqual(['a', 'a.b[c]', '*', 'a?'].map(isGlob), [false, false, true, true]);
});
