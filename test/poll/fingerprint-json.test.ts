import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprint } from '../../src/poll/fingerprint.ts';
import type { Keys } from './comparisons.ts';
import { assertChange, assertSame, comparison } from './comparisons.ts';

const JSON_TYPE = 'application/json';

type Case = readonly [rule: string, keys: Keys, before: string, after: string];

const SAME: readonly Case[] = [
  ['the order of members', {}, '{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":3,"c":2},"a":1}'],
  ['whitespace', {}, '{"a":[1,2]}', ' {\n  "a": [1, 2]\n}\n'],
  ['how a string is escaped', {}, '{"é\\/":"\\u0041\\n"}', '{"\\u00e9/":"A\\u000a"}'],
  ['how a number is written', {}, '[1,100,0.5,-0]', '[1.0,1e2,5e-1,0]'],
  ['how a large number is written', {}, '[1e25,1e-7]', '[10000000000000000000000000,0.0000001]'],
  [
    'zeros behind many digits',
    {},
    '[1.5,12345678901234567890]',
    '[1.50000000000000000000,12345678901234567890.0]',
  ],
  ['a member that is overridden by its twin', {}, '{"a":1,"a":2}', '{"a":2}'],
  ['a byte order mark', {}, '[1]', '\ufeff[1]'],
  ['what is ignored', { ignore: '/a' }, '{"a":1,"b":2}', '{"a":9,"b":2}'],
  ['whether an ignored member is there', { ignore: '/a' }, '{"a":1,"b":2}', '{"b":2}'],
  ['an ignored member in every item', { ignore: '/*/a' }, '[{"a":1},{"b":2}]', '[{"a":2},{"b":2}]'],
  ['an ignored item', { ignore: '/0' }, '[1,2]', '[9,2]'],
  ['how many ignored items there are', { ignore: '/l/*' }, '{"l":[1]}', '{"l":[1,2,3]}'],
  ['members whose names fit a glob', { ignore: '/*_at' }, '{"a_at":1,"b":2}', '{"c_at":7,"b":2}'],
  ['a name with "/" and "~"', { ignore: '/a~1b~0' }, '{"a/b~":1}', '{"a/b~":2}'],
  ['an ignored name that is escaped', { ignore: '/é' }, '{"\\u00e9":1}', '{"é":2}'],
  ['what is not selected', { select: '/a' }, '{"a":1,"b":2}', '{"a":1,"b":3,"c":4}'],
  [
    'the order within what is selected',
    { select: '/a' },
    '{"a":{"b":1,"c":2}}',
    '{"a":{"c":2,"b":1}}',
  ],
  [
    'what is ignored of what is selected',
    { select: '/a', ignore: '/a/b' },
    '{"a":{"b":1}}',
    '{"a":{"b":2}}',
  ],
  ['what is selected and ignored', { select: '/a', ignore: '/*' }, '{"a":1}', '{"a":2}'],
  ['a selector, which is for HTML', { select: { css: 'p' } }, '{"a":1,"b":2}', '{"b":2,"a":1}'],
  [
    'what is ignored, when bytes count',
    { ignore: '/a', compare: 'bytes' },
    '{"a":1,"b":2,"c":3}',
    '{"b":2, "a":2, "c":3}',
  ],
];
for (const [rule, keys, before, after] of SAME) {
  test(`no change of JSON: ${rule}`, () => assertSame(JSON_TYPE, keys, [before, after]));
}

const CHANGES: readonly Case[] = [
  ['a value', {}, '{"a":1}', '{"a":2}'],
  ['a name', {}, '{"a":1}', '{"b":1}'],
  ['a type', {}, '{"a":1}', '{"a":"1"}'],
  ['null in the place of nothing', {}, '{"a":null}', '{}'],
  ['an empty object in the place of an empty list', {}, '[]', '{}'],
  ['the order of items', {}, '[1,2]', '[2,1]'],
  ['the limits of items', {}, '[[1],[2]]', '[[1,2]]'],
  ['the limits of strings', {}, '["a","b"]', '["ab"]'],
  ['a string that looks like two', {}, '["a","b"]', '["a1:b"]'],
  ['the limits of numbers', {}, '[1,2]', '[12]'],
  ['the letter case of a name', {}, '{"a":1}', '{"A":1}'],
  ['the last of equal names', {}, '{"a":1,"a":2}', '{"a":1,"a":3}'],
  ['an integer that a double cannot hold', {}, '[9007199254740992]', '[9007199254740993]'],
  ['the last of many digits', {}, '[0.12345678901234567890]', '[0.12345678901234567891]'],
  ['a digit before a point', {}, '[123456789012345678.5]', '[123456789012345679.5]'],
  ['a number larger than any double', {}, '[1e400]', '[1e401]'],
  ['a number that is nearly nothing', {}, '[1e-400]', '[0]'],
  ['the sign of a large number', {}, '[1e400]', '[-1e400]'],
  ['a power that nobody can count with', {}, '[1e9007199254740993]', '[1e9007199254740992]'],
  [
    'a number in the place of a string that looks like it was quoted',
    {},
    '["\\u00011e400"]',
    '[1e400]',
  ],
  ['a mark more in a string', {}, '["\\u0001",1e400]', '["\\u0001\\u0001",1e400]'],
  ['a mark in a name', {}, '{"\\u0001a":1e400}', '{"a":1e400}'],
  ['halves of surrogate pairs', {}, '["\\ud800"]', '["\\ud801"]'],
  ['half a surrogate pair in the place of its replacement', {}, '["\\ud800"]', '["\ufffd"]'],
  ['a member "__proto__"', {}, '{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}'],
  ['a member "__proto__" that appears', {}, '{}', '{"__proto__":null}'],
  ['"__proto__" that was in a name', {}, '{"__proto__":1}', '{"_proto_":1}'],
  ['"toJSON"', {}, '{"toJSON":1}', '{"toJSON":2}'],
  ['what is not ignored', { ignore: '/a' }, '{"a":1,"b":2}', '{"a":1,"b":3}'],
  ['the same name on another level', { ignore: '/a' }, '{"b":{"a":1}}', '{"b":{"a":2}}'],
  ['a level that "*" does not reach', { ignore: '/*' }, '[]', '{}'],
  ['the item after an ignored one', { ignore: '/0' }, '[1,2]', '[1,3]'],
  ['a selected member that appears', { select: '/a' }, '{}', '{"a":null}'],
  ['a selected item that moves', { select: '/*/a' }, '[{"a":1},{}]', '[{},{"a":1}]'],
  [
    'values of two selected members that swap',
    { select: ['/a', '/b'] },
    '{"a":1,"b":2}',
    '{"a":2,"b":1}',
  ],
  ['a selected member that takes the name of another', { select: '/?' }, '{"a":1}', '{"b":1}'],
  [
    'the order of members, when bytes count',
    { ignore: '/x', compare: 'bytes' },
    '{"a":1,"b":2}',
    '{"b":2,"a":1}',
  ],
  ['how a number is written, when bytes count', { ignore: '/x', compare: 'bytes' }, '[1.0]', '[1]'],
  ['whitespace, when bytes count and there are no parts', { compare: 'bytes' }, '[1]', '[ 1]'],
  [
    'whitespace, when bytes count and the parts are for HTML',
    { ignore: { css: 'p' }, compare: 'bytes' },
    '[1]',
    '[ 1]',
  ],
  ['whitespace in what is no JSON', {}, '{"a":}', '{"a": }'],
  ['a name that is a number, which is no JSON', {}, '{1e400: 1}', '{1e400:1}'],
  ['a number that is none', {}, '[01e400]', '[01e400 ]'],
];
for (const [rule, keys, before, after] of CHANGES) {
  test(`a change of JSON: ${rule}`, () => assertChange(JSON_TYPE, keys, [before, after]));
}

const DEEP = 200_000;
test('JSON that is nested very deeply is compared by bytes', () => {
  const nested = (inner: string) => '['.repeat(DEEP) + inner + ']'.repeat(DEEP);
  assertChange(JSON_TYPE, {}, [nested('1'), nested(' 1')]);
  assertChange(JSON_TYPE, { ignore: '/1' }, [nested('1'), nested(' 1')]);
  assertSame(JSON_TYPE, {}, [nested('1'), nested('1')]);
  const objects = (inner: string) => '{"a":'.repeat(DEEP) + inner + '}'.repeat(DEEP);
  assertChange(JSON_TYPE, { select: '/a/a' }, [objects('1'), objects(' 1')]);
});

test('JSON of 512 levels is looked into', () => {
  const nested = (levels: number, inner: string) => '['.repeat(levels) + inner + ']'.repeat(levels);
  assertSame(JSON_TYPE, {}, [nested(512, '1'), nested(512, ' 1')]);
  assertChange(JSON_TYPE, {}, [nested(513, '1'), nested(513, ' 1')]);
});

test('no member of an answer gets into a prototype', () => {
  const keys = { select: ['/__proto__/*', '/constructor/prototype/*'], ignore: '/__proto__/b' };
  const body = Buffer.from('{"__proto__":{"a":1,"b":2},"constructor":{"prototype":{"c":3}}}');
  fingerprint(body, JSON_TYPE, comparison(keys));
  for (const name of ['a', 'b', 'c']) assert.equal(name in {}, false);
  assertSame(JSON_TYPE, keys, [
    body,
    '{"__proto__":{"b":5,"a":1},"constructor":{"prototype":{"c":3}}}',
  ]);
  assertChange(JSON_TYPE, keys, [
    body,
    '{"__proto__":{"a":2},"constructor":{"prototype":{"c":3}}}',
  ]);
});

const JSON_TYPES = [JSON_TYPE, 'application/problem+json', 'text/json', 'Application/JSON; v=1'];
for (const type of JSON_TYPES) {
  test(`an answer of the type ${type} is compared as JSON`, () => {
    assertSame(type, {}, ['{"a":1,"b":2}', '{"b":2,"a":1}']);
  });
}

const OTHER_TYPES = ['text/html', 'text/plain; charset=utf-8', 'text/javascript', ''];
for (const type of OTHER_TYPES) {
  test(`JSON that is called "${type}" is compared as JSON where a part of it is named`, () => {
    const pair = [' \n{"a":1,"b":2}', '{"b":2,"a":9}'] as const;
    assertSame(type, { ignore: '/a' }, pair);
    assertChange(type, { ignore: '/c' }, pair);
    assertChange(type, {}, ['{"a":1,"b":2}', '{"b":2,"a":1}']);
    assertChange(type, { ignore: '/a' }, ['var a = {"a":1}', 'var a = {"a":2}']);
    assertChange(type, { ignore: '/a' }, ['12', '12 ']);
  });
}

test('JSON in ISO-8859-1 is read by its charset', () => {
  const latin = (text: string) => Buffer.from(text, 'latin1');
  const type = 'application/json; charset=ISO-8859-1';
  assertSame(type, { ignore: '/é' }, [latin('{"é":1,"ü":2}'), latin('{"ü":2,"é":3}')]);
  assertChange(type, {}, [latin('["é"]'), latin('["è"]')]);
});

test('JSON with bytes that are no UTF-8 keeps its parts', () => {
  const latin = (text: string) => Buffer.from(text, 'latin1');
  const keys = { ignore: '/now' };
  assertSame(JSON_TYPE, keys, [latin('{"now":1,"a":"é"}'), latin('{"a":"é","now":2}')]);
  assertChange(JSON_TYPE, keys, [latin('{"now":1,"a":"é"}'), latin('{"now":1,"a":"è"}')]);
  // The same characters if one were read like the other.
  assertChange(JSON_TYPE, keys, ['{"a":"Ã©"}', latin('{"a":"Ã©","now":"ÿ"}')]);
});
