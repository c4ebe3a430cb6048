import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../../src/config/request.ts';
import { shapeTarget } from '../../src/live/request-shape.ts';
import { isIgnored } from '../../src/live/url-encoded.ts';
import type { BodyKeys } from './request-changes.ts';
import { FORM, sent, shape } from './request-changes.ts';

test("where nothing is to be changed every byte is the client's, whatever it is", () => {
  const bytes = Buffer.from([0xff, 0x00, 0xfe, 0x7b]);
  assert.deepEqual(shape({}, bytes, 'text/xml')?.sent, bytes);
  assert.deepEqual(shape({}, Buffer.from('')), { sent: Buffer.from(''), callerId: undefined });
});

const JSON_BODIES: readonly [rule: string, keys: BodyKeys, body: string, sent: string][] = [
  ['nothing of it is there', { ignore: ['/x'] }, ' { "a" : 1.0 }\n', ' { "a" : 1.0 }\n'],
  ['the first goes', { ignore: ['/a'] }, '{ "a":1, "b":2 }', '{ "b":2 }'],
  ['one between goes', { ignore: ['/b'] }, '{"a":1 , "b":2 , "c":3}', '{"a":1 , "c":3}'],
  ['the last goes', { ignore: ['/c'] }, '{"a":1, "c":3}', '{"a":1}'],
  ['all go', { ignore: ['/a', '/b'] }, '{ "a":1, "b":2 }', '{}'],
  ['an empty object stays', { ignore: ['/a'] }, '{ }', '{ }'],
  ['inside it goes', { ignore: ['/a/t'] }, '{"a":{"t":1,"u":2},"t":3}', '{"a":{"u":2},"t":3}'],
  ['of each it goes', { ignore: ['/*/t'] }, '[{"t":1,"u":2},{"t":3},4]', '[{"u":2},{},4]'],
  ['of some it goes', { ignore: ['/t?*'] }, '{"t":1,"t1":2,"t22":3}', '{"t":1}'],
  ['an element becomes null', { ignore: ['/a/0'] }, '{"a":[7,8]}', '{"a":[null,8]}'],
  ['an element that is not there', { ignore: ['/a/5'] }, '{"a":[7,8]}', '{"a":[7,8]}'],
  ['an escaped name goes', { ignore: ['/a'] }, '{"\\u0061":1,"b":2}', '{"b":2}'],
  ['below a value nothing is', { ignore: ['/a/b'] }, '{"a":5}', '{"a":5}'],
  [
    'a value is replaced in its place',
    { set: { '/a': 'x' } },
    '{"a" : 1 ,"b":2}',
    '{"a" : "x" ,"b":2}',
  ],
  ['a value comes last', { set: { '/b': [1] } }, '{"a":1}', '{"a":1,"b":[1]}'],
  ['a value comes alone', { set: { '/b': 1 } }, '{ }', '{"b":1}'],
  ['objects are made around it', { set: { '/b/c/d': 1 } }, '{"a":1}', '{"a":1,"b":{"c":{"d":1}}}'],
  [
    'several come in order',
    { set: { '/z': 1, '/b/c': 2, '/b/a': 3 } },
    '{}',
    '{"z":1,"b":{"c":2,"a":3}}',
  ],
  ['null leaves it out', { set: { '/a': null } }, '{"a":1,"b":2}', '{"b":2}'],
  ['an element is set', { set: { '/a/1': 9 } }, '{"a":[1,2]}', '{"a":[1,9]}'],
  [
    'what is ignored can be set anew',
    { ignore: ['/a'], set: { '/a/b': 1 } },
    '{"a":{"c":2},"d":3}',
    '{"a":{"b":1},"d":3}',
  ],
  ['also by a glob', { ignore: ['/*'], set: { '/a': 1 } }, '{"x":2,"a":0}', '{"a":1}'],
  [
    'the order is that of what is set, whatever is ignored',
    { ignore: ['/*/d/a', '/*'], set: { '/0/a': 1, '/0/d': 2 } },
    '{"0":5}',
    '{"0":{"a":1,"d":2}}',
  ],
  ['a name is written as JSON', { set: { '/"\\': 1 } }, '{}', '{"\\"\\\\":1}'],
  [
    'a name that means something elsewhere',
    { set: { '/__proto__/x': 1 } },
    '{}',
    '{"__proto__":{"x":1}}',
  ],
  [
    'numbers beyond doubles stay',
    { ignore: ['/x'] },
    '{"n":12345678901234567890.10,"x":1,"e":1e999}',
    '{"n":12345678901234567890.10,"e":1e999}',
  ],
  [
    'texts stay as they are written',
    { ignore: ['/x'] },
    '{"s":"\\u00fc\\/ü😀","x":1}',
    '{"s":"\\u00fc\\/ü😀"}',
  ],
  ['fields of forms are not in it', { ignore: ['x', '/y'] }, '{"x":1,"y":2}', '{"x":1}'],
];
for (const [rule, keys, body, expected] of JSON_BODIES) {
  test(`JSON ${body} with ${JSON.stringify(keys)}: ${rule}`, () => {
    assert.equal(sent(keys, body), expected);
    assert.equal(sent(keys, expected), expected, 'once more');
  });
}

const FORMS: readonly [rule: string, keys: BodyKeys, body: string, sent: string][] = [
  ['nothing of it is there', { ignore: ['x'] }, '&a=%41+&&b&=', '&a=%41+&&b&='],
  ['a token goes', { ignore: ['token'] }, 'a=1&token=x&b=2', 'a=1&b=2'],
  ['each of its kind goes', { ignore: ['t'] }, 't=1&%74=2&a&t', 'a'],
  ['by a glob', { ignore: ['m???', 'pma*'] }, 'mabc&mabcd=1&pmaUser-1=x', 'mabcd=1'],
  ['all of it goes', { ignore: ['*'] }, 'a=1&b', ''],
  ['nothing stays nothing', { ignore: ['a'] }, '', ''],
  ['a value is replaced in its place', { set: { rid: '0' } }, 'a=1&rid=5&b=2', 'a=1&rid=0&b=2'],
  ['a value is written as a form has it', { set: { 'a b': 'x&+ü' } }, '', 'a%20b=x%26%2B%C3%BC'],
  ['of several one is left', { set: { r: 0 } }, 'r=1&a&r=2', 'r=0&a'],
  ['a value comes last', { set: { r: 0, s: true } }, 'a=1', 'a=1&r=0&s=true'],
  ['null leaves it out', { set: { r: null } }, 'r=1&a=1', 'a=1'],
  ['pointers are not in it', { ignore: ['/a', 'b'] }, '/a=1&b=2', '/a=1'],
];
for (const [rule, keys, body, expected] of FORMS) {
  test(`a form ${body} with ${JSON.stringify(keys)}: ${rule}`, () => {
    assert.equal(sent(keys, body, FORM), expected);
    assert.equal(sent(keys, expected, FORM), expected, 'once more');
  });
}

const NONE: readonly [rule: string, keys: BodyKeys, body: string, type?: string][] = [
  ['what cannot be looked into is not stripped', { ignore: ['token'] }, '<token/>', 'text/xml'],
  ['nor changed', { set: { '/a': 1 } }, '{broken'],
  ['a form has no members', { set: { '/a': 1 } }, 'a=1', FORM],
  ['JSON has no fields', { set: { a: 1 } }, '{"a":1}'],
  ['a batch has no member', { set: { '/a': 1 } }, '[]'],
  ['a value has no member', { set: { '/a/b': 1 } }, '{"a":5}'],
  ['an array has no place', { set: { '/a/2': 1 } }, '{"a":[]}'],
  ['a name stands twice', { ignore: ['/a'] }, '{"a":1,"b":2,"a":3}'],
  ['a name stands twice further in', { set: { '/a/b': 1 } }, '{"a":{"b":1,"b":2}}'],
  ['a name stands twice, once as an escape', { ignore: ['/a'] }, '{"a":1,"\\u0061":3}'],
  ['a name stands in two cases', { ignore: ['/a'] }, '{"A":1,"a":3}'],
];
for (const [rule, keys, body, type] of NONE) {
  test(`there is no poll for ${body} with ${JSON.stringify(keys)}: ${rule}`, () => {
    assert.equal(shape(keys, body, type), undefined);
  });
}

const CALLS: readonly [rule: string, body: string, sent: string, id: string][] = [
  ['a number', '{"id":17,"method":"x"}', '{"id":1,"method":"x"}', '17'],
  ['the number of the poll', '{"id":1}', '{"id":1}', '1'],
  ['a text', '{"method":"x","id" : "a\\"b" }', '{"method":"x","id" : 1 }', '"a\\"b"'],
  ['null', '{"id":null}', '{"id":1}', 'null'],
  ['a number beyond doubles', '{"id":-1.50e400}', '{"id":1}', '-1.50e400'],
  ['further in is another', '{"params":{"id":5},"id":2}', '{"params":{"id":5},"id":1}', '2'],
];
for (const [rule, body, expected, id] of CALLS) {
  test(`the id of a call is not sent, and kept for the caller: ${rule}`, () => {
    const shaped = shape({ rpc: 'json-rpc' }, body);
    assert.deepEqual([shaped?.sent.toString(), shaped?.callerId], [expected, id]);
  });
}

const NO_CALLS: readonly [rule: string, body: string, type?: string][] = [
  ['a batch', '[{"id":1,"method":"x"}]'],
  ['a notification', '{"method":"x"}'],
  ['an object as an id', '{"id":{"a":1}}'],
  ['an array as an id', '{"id":[1]}'],
  ['truth as an id', '{"id":true}'],
  ['two ids', '{"id":1,"id":2}'],
  ['an id in another case', '{"ID":1}'],
  ['a form', 'id=1', FORM],
  ['text', 'id', 'text/plain'],
];
for (const [rule, body, type] of NO_CALLS) {
  test(`${rule} is no call that can be polled`, () => {
    assert.equal(shape({ rpc: 'json-rpc' }, body, type), undefined);
  });
}

const TARGETS: readonly [rule: string, changes: object, target: string, expected: string][] = [
  ['nothing changes', {}, '/a?%&&b=%zz', '/a?%&&b=%zz'],
  ['a value is replaced in its place', { rid: '0' }, '/a?x=1&rid=17&y', '/a?x=1&rid=0&y'],
  ['an escaped name is the same name', { rid: '0' }, '/a?%72id=17', '/a?rid=0'],
  ['a value comes last', { rid: 0 }, '/a?x', '/a?x&rid=0'],
  ['a value comes alone', { rid: 0 }, '/a', '/a?rid=0'],
  ['behind a bare "?" too', { rid: 0 }, '/a?', '/a?rid=0'],
  ['of several one is left', { r: 0 }, '/a?r=1&r=2', '/a?r=0'],
  ['null leaves it out', { x: null }, '/a?x=1&y=2&x', '/a?y=2'],
  ['the last goes with its "?"', { x: null }, '/a?x=1', '/a'],
  ['a bare "?" stays', { x: null }, '/a?', '/a?'],
  ['everything else stays', { x: null }, '//a/%2e?&%E4=%&?=2&=0&x', '//a/%2e?&%E4=%&?=2&=0'],
  ['what would break a request line does not', { x: ' #&\r\n' }, '/a', '/a?x=%20%23%26%0D%0A'],
];
for (const [rule, query, target, expected] of TARGETS) {
  test(`the target ${target} with ${JSON.stringify(query)}: ${rule}`, () => {
    const changes = request.parse({ query }).query;
    assert.equal(shapeTarget(target, changes), expected);
    assert.equal(shapeTarget(expected, changes), expected, 'once more');
  });
}

test('parameters are ignored by name and by glob, unless something else keeps them', () => {
  const names = ['_', 'mabc1234', 'mabc12345', 'm', 'x', 'utm_source'];
  const left = (kept: string[]) =>
    names.filter((name) => !isIgnored(name, ['_', 'm???????', 'utm_*'], kept));
  assert.deepEqual(left([]), ['mabc12345', 'm', 'x']);
  assert.deepEqual(left(['_', 'utm_source']), ['_', 'mabc12345', 'm', 'x', 'utm_source']);
});
