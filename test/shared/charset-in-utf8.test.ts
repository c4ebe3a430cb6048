import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeText, inUtf8 } from '../../src/shared/charset.ts';
import { textEncoding } from '../../src/shared/media-type.ts';

const latin = (text: string) => Buffer.from(text, 'latin1');

const IN_UTF8: readonly (readonly [type: string, inUtf8: string])[] = [
  ['text/plain; charset=iso-8859-1', 'text/plain; charset=utf-8'],
  ['text/html;Charset="latin1" ; x=y', 'text/html; x=y; charset=utf-8'],
  ['text/html', 'text/html; charset=utf-8'],
];
for (const [type, contentType] of IN_UTF8) {
  test(`a text of the type ${type} can be had in UTF-8, and its type says so`, () => {
    const result = inUtf8(latin('é\x80'), type);
    assert.deepEqual(result, { body: Buffer.from('é€'), contentType });
    assert.equal(textEncoding(contentType, Buffer.from('é€')), 'utf8');
  });
}

test('what is no text cannot be had in UTF-8', () => {
  assert.equal(inUtf8(latin('é'), 'text/plain; charset=utf-8'), undefined);
  assert.equal(inUtf8(Buffer.from([0x89, 0x50]), 'image/png'), undefined);
});

test('what travels as text today is text, with or without a charset', () => {
  const types = [
    'text/plain',
    'image/png',
    '',
    'text/plain; charset=x',
    'text/html; charset=latin1',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 4 }), (type, bytes) => {
      const body = Buffer.from(bytes);
      if (textEncoding(type, body) === 'utf8') assert.notEqual(decodeText(body, type), undefined);
    }),
    { numRuns: 2_000 },
  );
});
