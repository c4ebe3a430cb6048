import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  compareSpecificity,
  matchesPattern,
  parsePattern,
  pathSegments,
  patternProblem,
  patternShape,
} from '../../src/shared/path-pattern.ts';

/** What the proxy does with a raw path: split it with suspicion, then compare. */
function matches(pattern: string, rawPath: string): boolean {
  const segments = pathSegments(rawPath);
  return segments !== undefined && matchesPattern(parsePattern(pattern), segments);
}

/** The pattern that gets a path when all of them are configured. */
function winner(patterns: readonly string[], rawPath: string): string | undefined {
  const sorted = patterns.map((source) => parsePattern(source)).sort(compareSpecificity);
  const segments = pathSegments(rawPath) ?? [];
  return sorted.find((pattern) => matchesPattern(pattern, segments))?.source;
}

const GOOD = [
  '/',
  '/**',
  '/a',
  '/a/',
  '/a//b',
  '/a/:id',
  '/a/:_private/b',
  '/a/*/b',
  '/a/**',
  '/a%20b',
  '/%C3%A4',
  '/ä',
  '/a.b/..c/...',
  '/_comets/x',
];
for (const pattern of GOOD) {
  test(`${pattern} is a pattern`, () => assert.equal(patternProblem(pattern), undefined));
}

const BAD: readonly [pattern: string, problem: RegExp][] = [
  ['', /^must start with "\/": try "\/"$/],
  ['a/b', /^must start with "\/": try "\/a\/b"$/],
  ['/a?x=1', /without "\?" or "#".*"ignoreQuery"/],
  ['/a#top', /without "\?" or "#"/],
  ['/_comet/stream', /"\/_comet\/" is the proxy's own/],
  ['/**/a', /^"\*\*" must be the last segment$/],
  ['/a/**/', /^"\*\*" must be the last segment$/],
  ['/a*', /^"\*" must be a whole segment: current value is "a\*"$/],
  ['/a/***', /^"\*" must be a whole segment/],
  ['/:', /^a parameter is ":name": current value is ":"$/],
  ['/:1a', /^a parameter is ":name"/],
  ['/:a-b', /^a parameter is ":name"/],
  ['/a/../b', /^the segment "\.\." can never match/],
  ['/a/.', /^the segment "\." can never match/],
  ['/a/%2e%2E', /can never match/],
  ['/a;v=1', /can never match/],
  ['/a\\b', /can never match/],
  ['/a%2Fb', /can never match/],
  ['/a%00', /can never match/],
  ['/100%', /can never match/],
];
for (const [pattern, problem] of BAD) {
  test(`"${pattern}" is refused as a pattern, saying why`, () => {
    assert.match(patternProblem(pattern) ?? 'no problem', problem);
  });
}

for (const pattern of ['/_comet', '/%5Fcomet/x', '/_com%65t/x']) {
  test(`${pattern} is the proxy's own in another spelling, so it is refused`, () => {
    assert.match(patternProblem(pattern) ?? 'no problem', /the proxy's own/);
  });
}

const MATCHES: readonly [pattern: string, path: string, expected: boolean][] = [
  ['/', '/', true],
  ['/', '/a', false],
  ['/a', '/a', true],
  ['/a', '/A', false],
  ['/a', '/a/', false],
  ['/a/', '/a', false],
  ['/a/', '/a/', true],
  ['/a', '/a/b', false],
  ['/a/b', '/a', false],
  ['/a', '/%61', true],
  ['/%61', '/a', true],
  ['/ä', '/%C3%A4', true],
  ['/a b', '/a%20b', true],
  ['/a+b', '/a%2Bb', true],
  ['/a/:id', '/a/7', true],
  ['/a/:id', '/a/', false],
  ['/a/:id', '/a', false],
  ['/a/:id', '/a/7/8', false],
  ['/a/*/c', '/a/b/c', true],
  ['/a/*/c', '/a//c', false],
  ['/**', '/', true],
  ['/**', '/a', true],
  ['/**', '/a/b/c', true],
  ['/a/**', '/a/b', true],
  ['/a/**', '/a/b/', true],
  ['/a/**', '/a/b/c', true],
  ['/a/**', '/ab', false],
  ['/a/:x/**', '/a//b', false],
];
for (const [pattern, path, expected] of MATCHES) {
  test(`${pattern} ${expected ? 'matches' : 'does not match'} ${path}`, () => {
    assert.equal(matches(pattern, path), expected);
  });
}

test('a double slash matches only where the pattern has it too', () => {
  assert.equal(matches('/a//b', '/a//b'), true);
  for (const pattern of ['/a/b', '/a/*/b', '/a/:x', '/a/**', '/**']) {
    assert.equal(matches(pattern, '/a//b'), false, pattern);
  }
  assert.equal(matches('/**', '//'), false);
});

const SUSPICIOUS = [
  '',
  'a',
  '/..',
  '/a/../b',
  '/a/./b',
  '/.',
  '/%2e%2e/a',
  '/a/%2E%2e',
  '/a/.%2e/b',
  '/a/%2e/b',
  '/a%2fb',
  '/a%2Fb',
  '/a%5cb',
  '/a\\b',
  '/a;jsessionid=1',
  '/a%3Bx',
  '/a/..;/b',
  '/a%00.png',
  '/a%',
  '/a%2',
  '/a%zz',
  '/a%ff',
  '/a%C3',
];
for (const path of SUSPICIOUS) {
  test(`"${path}" could be another path to the site, so not even /** matches it`, () => {
    assert.equal(pathSegments(path), undefined);
  });
}

test('segments are decoded once, and dots inside a name are harmless', () => {
  assert.deepEqual(pathSegments('/a%20b/..c/d..'), ['a b', '..c', 'd..']);
  assert.deepEqual(pathSegments('/%2561'), ['%61']);
  assert.deepEqual(pathSegments('/a//'), ['a', '', '']);
});

const WINNERS: readonly [patterns: readonly string[], path: string, winner: string | undefined][] =
  [
    [['/**', '/a/*', '/a/b'], '/a/b', '/a/b'],
    [['/**', '/a/*', '/a/b'], '/a/c', '/a/*'],
    [['/**', '/a/*', '/a/b'], '/c', '/**'],
    [['/a/**', '/a/:id'], '/a/1', '/a/:id'],
    [['/a/**', '/a/:id'], '/a/1/2', '/a/**'],
    [['/a/**', '/a/b/**'], '/a/b/c', '/a/b/**'],
    [['/:x/b', '/a/:y'], '/a/b', '/a/:y'],
    [['/a/*/c', '/a/**'], '/a/b/c', '/a/*/c'],
    [['/a'], '/b', undefined],
  ];
for (const [patterns, path, expected] of WINNERS) {
  test(`of ${patterns.join(' and ')} it is ${expected} that gets ${path}`, () => {
    assert.equal(winner(patterns, path), expected);
    assert.equal(winner(patterns.toReversed(), path), expected, 'in whatever order they stand');
  });
}

test('a path written out wins over the same path followed by "**"', () => {
  assert.equal(winner(['/a/**', '/a'], '/a'), '/a');
  assert.equal(winner(['/a/:id/**', '/a/:id'], '/a/1'), '/a/:id');
  assert.equal(winner(['/**', '/'], '/'), '/');
});

test('patterns have one shape exactly when they match the same paths', () => {
  const shape = (source: string) => patternShape(parsePattern(source));
  assert.equal(shape('/a/:id'), shape('/a/*'));
  assert.equal(shape('/%61'), shape('/a'));
  assert.notEqual(shape('/a'), shape('/a/'));
  assert.notEqual(shape('/a/*'), shape('/a/**'));
});
