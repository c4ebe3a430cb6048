import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigError, checkConfig } from '../../src/config/load.ts';
import { parse } from './parse-error.ts';

/** Run it; anything but a ConfigError with well-formed problems fails the test. */
function acceptsOrExplains(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof ConfigError, `threw ${error}`);
    assert.ok(error.problems.length > 0);
    for (const { line, column, message } of error.problems) {
      assert.ok(message !== '' && line >= 0 && column >= 0);
    }
  }
}

/** Texts that parts of a config are made of, right and wrong ones. */
const words = fc.oneof(
  fc.string(),
  fc.constantFrom('2s', '1s..30s', '4MiB', '/a/:id', '/**', 'http://h', '127.0.0.1:0', `\${X}`),
  fc.constantFrom(`$\${`, `\${file:/nope}`, 'cookie:SESSION', 'absorb', '__proto__', 'constructor'),
);
const keys = fc.oneof(
  fc.constantFrom('site', 'url', 'live', 'listen', 'limits', 'log', 'origins', 'trustedProxies'),
  fc.constantFrom('every', 'vary', 'headers', 'polls', 'transports', 'history', 'drain', 'level'),
  words,
);
/** Values with the config's own keys in them, so that they get past the first check. */
const configLike = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(words, fc.integer(), fc.double(), fc.boolean(), fc.constant(null)),
    fc.dictionary(keys, tie('node'), { maxKeys: 6, noNullPrototype: true }),
    fc.array(tie('node'), { maxLength: 4 }),
  ),
})).node;

test('any JSON value is accepted or explained', () => {
  fc.assert(fc.property(fc.json(), (text) => acceptsOrExplains(() => parse(text))));
});

test('any value that looks like a config is accepted or explained', () => {
  fc.assert(
    fc.property(configLike, (value) => {
      acceptsOrExplains(() => parse(JSON.stringify(value)));
      acceptsOrExplains(() => checkConfig(value, 'flags'));
    }),
    { numRuns: 500 },
  );
});

test('any value under any key of a good config is accepted or explained', () => {
  fc.assert(
    fc.property(keys, configLike, (key, value) => {
      acceptsOrExplains(() => parse(JSON.stringify({ site: 'http://h', [key]: value })));
      const live = { '/a': { every: '1s', [key]: value } };
      acceptsOrExplains(() => parse(JSON.stringify({ site: 'http://h', live })));
    }),
    { numRuns: 500 },
  );
});

test('any text is accepted or explained', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => acceptsOrExplains(() => parse(text))),
  );
});

test('any part of a good config is accepted or explained', () => {
  const whole = '{"site": "http://h", /* c */ "live": {"/a": {"every": "1s", "vary": ["ip"],},},}';
  for (let length = 0; length <= whole.length; length++) {
    acceptsOrExplains(() => parse(whole.slice(0, length)));
    acceptsOrExplains(() => parse(whole.slice(length)));
  }
});

test('nesting without end is explained', () => {
  for (const depth of [1_000, 5_000, 50_000]) {
    acceptsOrExplains(() => parse('['.repeat(depth) + ']'.repeat(depth)));
    acceptsOrExplains(() => parse('{"site":'.repeat(depth) + '}'.repeat(depth)));
  }
});
