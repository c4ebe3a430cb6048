import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseBody } from '../../src/live/request-body.ts';

const FORM = 'application/x-www-form-urlencoded';
const kindOf = (type: string | undefined, body: string | Uint8Array, coding?: string) =>
  parseBody(type, Buffer.from(body as string), coding).kind;

const JSON_TYPES = ['application/json', 'json', 'text/json', 'application/json-rpc', 'text/plain'];
for (const type of [
  ...JSON_TYPES,
  FORM,
  'text/xml',
  undefined,
  'Application/JSON; charset=UTF-8',
]) {
  test(`an object and an array are JSON, whether it is said to be ${type} or not`, () => {
    assert.equal(kindOf(type, '{"a":1}'), 'json');
    assert.equal(kindOf(type, ' \r\n\t[1, {"a": "ü"}]\n'), 'json');
  });
}

const KINDS: readonly [rule: string, type: string | undefined, body: string, kind: string][] = [
  ['broken JSON', 'application/json', '{"a":1', 'opaque'],
  ['JSON with more behind it', 'application/json', '{"a":1}{"a":2}', 'opaque'],
  ['JSON with a comment', 'application/json', '{"a":1 /* b */}', 'opaque'],
  ['JSON with a trailing comma', 'application/json', '{"a":1,}', 'opaque'],
  ['JSON with single quotes', 'application/json', "{'a':1}", 'opaque'],
  ['JSON with a byte order mark', 'application/json', '\ufeff{"a":1}', 'opaque'],
  ['JSON behind other white space', 'application/json', '\u00a0{"a":1}', 'opaque'],
  ['a bare value', 'application/json', '"a"', 'opaque'],
  ['a bare number', 'application/json', '1', 'opaque'],
  ['SOAP', 'text/xml; charset=utf-8', '<Envelope/>', 'opaque'],
  ['text', 'text/plain', 'a=1', 'opaque'],
  ['a form that is not called one', 'text/plain', 'a=1&b=2', 'opaque'],
  ['a form', FORM, 'a=1&b=%20', 'form'],
  ['a form with a charset', `${FORM}; charset=UTF-8`, 'a=1', 'form'],
  ['a form in capitals', FORM.toUpperCase(), 'a=1', 'form'],
  ['a form that begins like JSON', FORM, '{a=1', 'form'],
  ['an empty form', FORM, '', 'form'],
  ['no body', undefined, '', 'form'],
  ['an empty body that is said to be JSON', 'application/json', '', 'opaque'],
  ['a form whose value is of another charset', FORM, 'a=%E4', 'form'],
  ['a form whose names are of another charset', FORM, '%E4=1', 'opaque'],
  ['a form with a broken escape as a name', FORM, 'a%=1', 'opaque'],
  ['two types', `${FORM}, text/plain`, 'a=1', 'opaque'],
];
for (const [rule, type, body, kind] of KINDS) {
  test(`${rule}: ${kind}`, () => {
    assert.equal(kindOf(type, body), kind);
  });
}

test('a form is taken apart as it stands there', () => {
  const body = parseBody(FORM, Buffer.from('a=1&&b+c=%2B+x&=2&d&%61=ü'));
  assert.ok(body.kind === 'form');
  assert.deepEqual(
    body.parameters.map(({ name, value }) => [name, value]),
    [
      ['a', '1'],
      ['', ''],
      ['b c', '+ x'],
      ['', '2'],
      ['d', ''],
      ['a', 'ü'],
    ],
  );
});

test('nesting without end is no matter', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    kindOf('application/json', `${open.repeat(300_000)}1${close.repeat(300_000)}`);
    kindOf('application/json', open.repeat(300_000));
  }
});

test('any bytes under any type are looked at without an error', () => {
  const type = fc.option(
    fc.oneof(fc.string(), fc.constantFrom(FORM, 'json', 'text/plain; charset=x')),
    {
      nil: undefined,
    },
  );
  fc.assert(
    fc.property(type, fc.uint8Array(), (contentType, bytes) => {
      parseBody(contentType, bytes, undefined);
    }),
  );
});
