import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fingerprint } from '../../src/poll/fingerprint.ts';
import type { Keys } from './comparisons.ts';
import { assertChange, assertSame, comparison } from './comparisons.ts';

const PARTS: Keys = {
  select: ['/a', { css: 'p' }],
  ignore: ['/*/@b', '/b', { css: 'td:nth-child(2n)' }, { css: '.x:has(> b) ~ i' }],
};

const TYPES = [
  'application/json',
  'text/html',
  'text/xml',
  'text/plain',
  'text/csv; charset=iso-8859-1',
  'image/png',
  'application/octet-stream',
  '',
];

for (const type of TYPES.slice(3)) {
  test(`a body of the type "${type}" is compared byte by byte`, () => {
    for (const keys of [{}, PARTS]) {
      assertSame(type, keys, [Buffer.from([1, 0xff]), Buffer.from([1, 0xff])]);
      assertChange(type, keys, [Buffer.from([1, 0xff]), Buffer.from([1, 0xfe])]);
      assertChange(type, keys, ['a b', 'a  b']);
      assertChange(type, keys, ['', ' ']);
    }
  });
}

/** The fingerprint of a body, compared as the config does by default. */
const print = (type: string, body = '{"a":1}') =>
  fingerprint(Buffer.from(body), type, comparison());

test('the type of an answer counts', () => {
  assert.notEqual(print('text/plain'), print('text/csv'));
  assert.notEqual(print('application/json'), print('application/problem+json'));
  assert.notEqual(print('application/json'), print('text/plain'));
  assert.notEqual(print(''), print('text/plain'));
});

test('letter case, whitespace and parameters of the type do not count', () => {
  assert.equal(print('text/plain;charset=utf-8'), print('Text/Plain; charset="UTF8"'));
  assert.equal(print('text/plain'), print('text/plain; charset=utf-8; format=flowed'));
  assert.equal(print('application/json'), print('application/json; charset=UTF-8'));
});

test('another charset makes another text of the same bytes', () => {
  assert.notEqual(print('text/plain; charset=koi8-r'), print('text/plain; charset=utf-8'));
  assert.notEqual(print('text/plain; charset=koi8-r'), print('text/plain; charset=windows-1251'));
});

test('the same JSON in another charset is the same', () => {
  const body = (charset: BufferEncoding) => Buffer.from('{"é":1}', charset);
  const by = comparison();
  assert.equal(
    fingerprint(body('utf8'), 'application/json', by),
    fingerprint(body('latin1'), 'application/json; charset=iso-8859-1', by),
  );
});

test('a fingerprint is short and has no special characters', () => {
  assert.match(print('text/plain', 'x'.repeat(100_000)), /^[\w-]{27}$/);
  assert.match(print('application/json', `["${'x'.repeat(100_000)}"]`), /^[\w-]{27}$/);
});

const nearlyMarkup = fc
  .array(
    fc.oneof(
      fc.constantFrom('<', '>', '</', '/>', '<p>', '<p class=x', '<!--', '-->', '<![CDATA[', ']]>'),
      fc.constantFrom(
        '<?xml ',
        '?>',
        '<!DOCTYPE',
        '&',
        '&#',
        '&lt;',
        ';',
        '"',
        "'",
        '=',
        ' ',
        '\0',
      ),
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ':',
        ',',
        '\\',
        '\\u',
        '1',
        '-',
        '.',
        'e',
        '1e999',
        '"a"',
      ),
      fc.constantFrom('<script>', '</script>', '<svg>', '<template>', '<b>', '<i>', '\ud800', 'é'),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => Buffer.from(pieces.join('')));
const bodies = fc.oneof(
  nearlyMarkup,
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
);

for (const [name, keys] of [
  ['no parts', {}],
  ['parts', PARTS],
  ['parts by bytes', { ...PARTS, compare: 'bytes' }],
] as const) {
  test(`whatever a body holds, comparing it by ${name} never throws, and it equals itself`, () => {
    const by = comparison(keys);
    fc.assert(
      fc.property(bodies, fc.constantFrom(...TYPES), (body, type) => {
        assert.equal(fingerprint(body, type, by), fingerprint(Buffer.from(body), type, by));
      }),
      { numRuns: 1_000 },
    );
  });
}

test('without parts, two bodies that are no JSON are the same exactly when all bytes are', () => {
  const by = comparison();
  fc.assert(
    fc.property(bodies, bodies, fc.constantFrom(...TYPES.slice(1)), (a, b, type) => {
      assert.equal(fingerprint(a, type, by) === fingerprint(b, type, by), a.equals(b));
    }),
    { numRuns: 1_000 },
  );
});
