import assert from 'node:assert/strict';
import { test } from 'node:test';
import { patchText } from '../../src/poll/diff.ts';

const FORMATS = ['json', 'merge'] as const;
const PADDING = 'x'.repeat(500);

/** Which formats have a patch for a change of one member; both texts are JSON values. */
function formatsFor(before: string, after: string): string[] {
  const document = (value: string) => Buffer.from(`{"padding":"${PADDING}","v":${value}}`);
  return FORMATS.filter((format) => patchText(format, document(before), document(after)));
}

const BOTH = ['json', 'merge'];

const INEXACT = [
  '12345678901234567890',
  '9007199254740993',
  '-9007199254740993',
  '0.1234567890123456789',
  '3.14159265358979323846',
  '1e400',
  '-1e400',
  '1e-400',
  '123456789012345.678',
];
for (const number of INEXACT) {
  test(`${number} is more than a double can hold: no patch, wherever it stands`, () => {
    assert.deepEqual(formatsFor('1', number), []);
    assert.deepEqual(formatsFor(number, '1'), []);
    assert.deepEqual(formatsFor(`[1,{"a":${number}}]`, `[2,{"a":${number}}]`), []);
  });
}

for (const number of ['-0', '-0.0', '-0e5']) {
  test(`${number} is nothing that a patch can say`, () => {
    assert.deepEqual(formatsFor('1', number), []);
  });
}

test('numbers that a double holds are in patches', () => {
  for (const number of [
    '0',
    '-1',
    '0.5',
    '123456789012345',
    '9007199254740991',
    '1e5',
    '0.1',
    '-0.5',
  ]) {
    assert.deepEqual(formatsFor('"old"', number), BOTH, number);
  }
});

test('digits in a text are no number', () => {
  const id = '"12345678901234567890"';
  assert.deepEqual(formatsFor(`[1,${id}]`, `[2,${id}]`), BOTH, 'beside numbers');
  assert.deepEqual(formatsFor('"a"', id), BOTH, 'where there is no number at all');
  assert.deepEqual(formatsFor('"a"', '"\\"12345678901234567890\\\\"'), BOTH, 'behind a quote');
});

for (const name of ['__proto__', 'constructor', 'prototype']) {
  test(`a member named ${name} is in no patch, in no spelling and at no depth`, () => {
    const spellings = [
      name,
      `\\u${name.charCodeAt(0).toString(16).padStart(4, '0')}${name.slice(1)}`,
      [...name].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
      name.replace('o', '\\u006F'),
    ];
    for (const spelling of spellings) {
      for (const document of [`{"${spelling}":{"x":1}}`, `[{"a":{"${spelling}":null}}]`]) {
        assert.deepEqual(formatsFor('1', document), [], document);
        assert.deepEqual(formatsFor(document, '1'), [], document);
      }
    }
  });
}

test('a merge patch cannot set a member to null, and a JSON patch can', () => {
  for (const after of ['null', '{"a":null}', '{"a":{"b":null}}', '{"a":[1],"b":null}']) {
    assert.deepEqual(formatsFor('{"a":{}}', after), ['json'], after);
  }
});

test('null in a list, and a member that was null and stays it, are in both', () => {
  assert.deepEqual(formatsFor('1', '[null,{"a":null}]'), BOTH);
  assert.deepEqual(formatsFor('{"a":null,"b":1}', '{"a":null,"b":2}'), BOTH);
  assert.deepEqual(formatsFor('{"a":null,"b":1}', '{"b":1}'), BOTH);
});

test('a document of more than 128 KiB is not compared, on either side', () => {
  const limit = 128 * 1_024;
  // Spaces make it large: they are no difference.
  const document = (size: number, n: number) =>
    Buffer.from(JSON.stringify({ n, s: 'x'.repeat(1_000) }).padEnd(size));
  for (const format of FORMATS) {
    assert.ok(patchText(format, document(limit, 1), document(limit, 2)));
    assert.equal(patchText(format, document(limit + 1, 1), document(limit, 2)), undefined);
    assert.equal(patchText(format, document(limit, 1), document(limit + 1, 2)), undefined);
  }
});

test('what is not JSON in UTF-8 has no patch', () => {
  const document = (value: string | Buffer) =>
    Buffer.concat([
      Buffer.from(`{"padding":"${PADDING}","v":`),
      typeof value === 'string' ? Buffer.from(value) : value,
      Buffer.from('}'),
    ]);
  const good = document('1');
  const wrong = [
    Buffer.alloc(0),
    document(''),
    document('1}'),
    document("'a'"),
    document(Buffer.from([0x22, 0xff, 0x22])),
    document(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])), // half of a surrogate pair
    Buffer.from(`\ufeff${document('2')}`),
    Buffer.from(String(document('2')), 'utf16le'),
  ];
  assert.deepEqual(formatsFor('1', '2'), BOTH);
  for (const format of FORMATS) {
    for (const bad of wrong) {
      assert.equal(patchText(format, good, bad), undefined, String(bad));
      assert.equal(patchText(format, bad, good), undefined, String(bad));
    }
  }
});

test('nesting without end has no patch, and does no harm', () => {
  for (const [open, close] of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as const) {
    const deep = (value: number) => Buffer.from(open.repeat(50_000) + value + close.repeat(50_000));
    for (const format of FORMATS) assert.equal(patchText(format, deep(1), deep(2)), undefined);
  }
});

/** Whether it takes seconds where milliseconds would do: the margins are wide on both sides. */
function takesTooLong(format: 'json' | 'merge', before: Buffer, after: Buffer): boolean {
  const startedAt = performance.now();
  patchText(format, before, after);
  return performance.now() - startedAt > 8_000;
}

// A pattern that tries every quote as the beginning of a text takes half a minute.
test('a broken document full of quotes does not stop everybody else', () => {
  const broken = Buffer.from(`[1234567890123456,"${'\\"'.repeat(125_000)}\\\n`);
  assert.ok(!takesTooLong('json', broken, Buffer.from('[1]')));
});

test('a document of more than 32 levels has no patch: comparing them takes size times depth', () => {
  const deep = (levels: number, end: string) =>
    Buffer.from(`${'{"a":'.repeat(levels)}["${'x'.repeat(500)}","${end}"]${'}'.repeat(levels)}`);
  for (const format of FORMATS) {
    assert.equal(patchText(format, deep(32, 'a'), deep(32, 'b')), undefined);
  }
  assert.notEqual(patchText('json', deep(31, 'a'), deep(31, 'b')), undefined);
});
