import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { match } from '../../src/config/request.ts';
import { matchesQuery } from '../../src/live/request-match.ts';
import { FORM, isMeant } from './request-changes.ts';

type Wanted = Readonly<Record<string, unknown>>;

const JSON_BODIES: readonly [rule: string, wanted: Wanted, body: string, isMeant: boolean][] = [
  ['a text is the same text', { '/method': 'get' }, '{"method":"get"}', true],
  ['another text is not', { '/method': 'get' }, '{"method":"getx"}', false],
  ['case matters', { '/method': 'get' }, '{"method":"GET"}', false],
  ['one of several does', { '/method': ['a', 'b'] }, '{"method":"b"}', true],
  ['none of several does not', { '/method': ['a', 'b'] }, '{"method":"c"}', false],
  ['all that is wanted is needed', { '/a': 1, '/b': 2 }, '{"a":1}', false],
  ['more than is wanted does not matter', { '/a': 1 }, '{"b":[],"a":1}', true],
  ['names lead inwards', { '/a/b~1c/1': 5 }, '{"a":{"b/c":[0,5]}}', true],
  ['an index is exact', { '/a/01': 5 }, '{"a":[0,5]}', false],
  ['a number is a number', { '/a': 1 }, '{"a":1.0}', true],
  ['a number is no text', { '/a': 1 }, '{"a":"1"}', false],
  ['a text is no number', { '/a': '1' }, '{"a":1}', false],
  ['truth is truth', { '/a': true, '/b': false }, '{"a":true,"b":false}', true],
  ['truth is no text', { '/a': 'true' }, '{"a":true}', false],
  ['escapes are read', { '/a': 'ü"' }, '{"\\u0061":"\\u00fc\\""}', true],
  ['anything is there', { '/a': '*' }, '{"a":{"b":[]}}', true],
  ['null is there', { '/a': '*' }, '{"a":null}', true],
  ['nothing is not there', { '/a': '*' }, '{"b":1}', false],
  ['what is to be absent is', { '/a': null }, '{"b":1}', true],
  ['what is to be absent is there', { '/a': null }, '{"a":null}', false],
  ['below what is absent all is', { '/a/b': null }, '{"b":1}', true],
  ['a value or nothing: nothing', { '/a': [1, null] }, '{}', true],
  ['a value or nothing: the value', { '/a': [1, null] }, '{"a":1}', true],
  ['a value or nothing: another', { '/a': [1, null] }, '{"a":2}', false],
  ['an object is no value', { '/a': 'x' }, '{"a":{"x":1}}', false],
  ['null is no value', { '/a': 'null' }, '{"a":null}', false],
  ['a batch has no members', { '/method': 'get' }, '[{"method":"get"}]', false],
  ['it can be told what a batch begins with', { '/0/method': 'get' }, '[{"method":"get"}]', true],
  ['an inherited name is not there', { '/toString': '*' }, '{"a":1}', false],
  ['nor is the prototype', { '/__proto__': '*' }, '{"a":1}', false],
];
for (const [rule, wanted, body, expected] of JSON_BODIES) {
  test(`JSON ${body} is ${expected ? '' : 'not '}meant by ${JSON.stringify(wanted)}: ${rule}`, () => {
    assert.equal(isMeant(wanted, body), expected);
  });
}

const FORMS: readonly [rule: string, wanted: Wanted, body: string, isMeant: boolean][] = [
  ['a text is the same text', { a: 'x' }, 'b=1&a=x', true],
  ['another is not', { a: 'x' }, 'a=xy', false],
  ['escapes are read', { 'a b': 'x+ü' }, 'a+b=x%2B%C3%BC', true],
  ['a number is its text', { a: 1 }, 'a=1', true],
  ['and not another text of it', { a: 1 }, 'a=1.0', false],
  ['truth is its text', { a: true }, 'a=true', true],
  ['anything is there', { a: '*' }, 'a', true],
  ['an empty text is a text', { a: '' }, 'a=', true],
  ['absent is absent', { a: null }, 'b=1', true],
  ['present is not absent', { a: null }, 'a', false],
  ['a value or nothing', { a: ['x', null] }, '', true],
  ['all of a name have to fit', { a: ['x', 'y'] }, 'a=x&a=y', true],
  ['one of a name does not', { a: 'x' }, 'a=x&a=y', false],
  ['a value of another charset is a value', { a: '*' }, 'a=%E4', true],
  ['and none that is known', { a: ['ä', '', '%E4'] }, 'a=%E4', false],
];
for (const [rule, wanted, body, expected] of FORMS) {
  test(`a form ${body} is ${expected ? '' : 'not '}meant by ${JSON.stringify(wanted)}: ${rule}`, () => {
    assert.equal(isMeant(wanted, body, FORM), expected);
    const { query } = match.parse({ query: wanted });
    assert.equal(matchesQuery(`/p?${body}`, query), expected, 'as a query');
  });
}

test('without a query all parameters are absent', () => {
  assert.equal(matchesQuery('/p', match.parse({ query: { a: null } }).query), true);
  assert.equal(matchesQuery('/p', match.parse({ query: { a: '*' } }).query), false);
});

test('where nothing is wanted every body and every query does', () => {
  assert.ok(isMeant({}, Buffer.from([0xff, 0xfe]), 'multipart/form-data'));
  assert.ok(matchesQuery('/p?%', []));
});

test('a body of the other kind, or of none, is not meant, not even by what is to be absent', () => {
  for (const value of ['*', null, 1]) {
    assert.equal(isMeant({ a: value }, '{"b":1}'), false);
    assert.equal(isMeant({ '/a': value }, 'b=1', FORM), false);
    assert.equal(isMeant({ '/a': value }, '<a/>', 'text/xml'), false);
    assert.equal(isMeant({ a: value }, '<a/>', 'text/xml'), false);
  }
});

test('what is meant is told alike for every way to write the same JSON', () => {
  const name = fc.stringMatching(/^[a-z~/ü]{1,4}$/);
  const value = fc.oneof(fc.string(), fc.integer(), fc.boolean());
  const escaped = (text: string) =>
    text.replace(/[a-z]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`);
  fc.assert(
    fc.property(name, value, fc.json(), (own, wanted, json) => {
      fc.pre(wanted !== '*');
      const pointer = `/${own.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      const text = JSON.stringify(wanted);
      const bodies = [
        `{"${own}":${text},"other":${json}}`,
        ` { "other" : ${json} , "${escaped(own)}" :\n${text} } `,
      ];
      for (const body of bodies) assert.ok(isMeant({ [pointer]: wanted }, body), body);
    }),
  );
});
