import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { answerWithId } from '../../src/live/answer-with-id.ts';

const answer = (data: string, id: string) =>
  Buffer.from(answerWithId(Buffer.from(data), id)).toString();

const TABLE: readonly [rule: string, data: string, id: string, expected: string][] = [
  ['the id is replaced', '{"id":1,"result":2}', '17', '{"id":17,"result":2}'],
  ['wherever it stands', '{"result":{"id":1},"id":1}', '"a"', '{"result":{"id":1},"id":"a"}'],
  ['white space stays', ' {\n "id" : 1 ,\t"x":2 }\r\n', '5', ' {\n "id" : 5 ,\t"x":2 }\r\n'],
  ['a text is an id too', '{"id":"1"}', 'null', '{"id":null}'],
  ['an escaped name is the same name', '{"\\u0069\\u0064":1}', '2', '{"\\u0069\\u0064":2}'],
  ['each of its kind is', '{"id":1,"id":1}', '2', '{"id":2,"id":2}'],
  ['numbers stay as they are', '{"n":1.10e400,"id":1}', '2', '{"n":1.10e400,"id":2}'],
  [
    'brackets in texts are text',
    '{"s":"}],\\"id\\":1","id":1}',
    '2',
    '{"s":"}],\\"id\\":1","id":2}',
  ],
  ['a text may end with a backslash', '{"s":"\\\\","id":1}', '2', '{"s":"\\\\","id":2}'],
  ['an id of null stays', '{"id":null,"error":{}}', '2', '{"id":null,"error":{}}'],
  ['an id that is none stays', '{"id":{"id":1}}', '2', '{"id":{"id":1}}'],
  ['truth is no id', '{"id":true}', '2', '{"id":true}'],
  ['another name stays', '{"ID":1,"idx":1,"i":1}', '2', '{"ID":1,"idx":1,"i":1}'],
  ['a batch stays', '[{"id":1}]', '2', '[{"id":1}]'],
  ['no object stays', '"id"', '2', '"id"'],
  ['nothing stays', '', '2', ''],
  ['an empty object stays', '{ }', '2', '{ }'],
  ['what is cut off stays', '{"id":1,', '2', '{"id":1,'],
  ['what is cut off in a text stays', '{"id":1,"a":"', '2', '{"id":1,"a":"'],
  ['what goes on stays', '{"id":1}x', '2', '{"id":1}x'],
  ['what has no names stays', '{id:1,"id":1}', '2', '{id:1,"id":1}'],
];
for (const [rule, data, id, expected] of TABLE) {
  test(`an answer for one of its callers: ${rule}`, () => {
    assert.equal(answer(data, id), expected);
  });
}

test('one state is answered to many, each with an id of its own', () => {
  const state = Buffer.from('{"result":"ü","id":1}');
  const before = Buffer.from(state);
  for (const id of ['1', '"x"', '12345678901234567890', 'null']) {
    assert.equal(Buffer.from(answerWithId(state, id)).toString(), `{"result":"ü","id":${id}}`);
  }
  assert.deepEqual(state, before);
});

test('a part of a larger buffer is answered as if it stood alone', () => {
  const whole = Buffer.from('xx{"id":1}yy');
  assert.equal(Buffer.from(answerWithId(whole.subarray(2, 10), '7')).toString(), '{"id":7}');
});

const id = fc.oneof(
  fc.integer().map(String),
  fc.string().map((text) => JSON.stringify(text)),
);
/** JSON as it might be written: with white space, and members in any order. */
const members = fc.array(fc.tuple(fc.string(), fc.json()), { maxLength: 5 });
const space = fc.constantFrom('', ' ', '\n\t', '\r\n  ');

test('every other byte stays', () => {
  fc.assert(
    fc.property(members, members, space, id, id, (before, after, gap, poll, caller) => {
      const text = (of: typeof before) =>
        of
          .filter(([name]) => name !== 'id')
          .map(([name, value]) => `${JSON.stringify(name)}${gap}:${value}`);
      const around = (own: string) =>
        `{${gap}${[...text(before), `"id":${gap}${own}`, ...text(after)].join(`${gap},`)}}`;
      assert.equal(answer(around(poll), caller), around(caller));
    }),
  );
});

test('any bytes are answered, and what is no JSON object with an id as it is', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual(Buffer.from(answerWithId(bytes, '1')), Buffer.from(bytes));
    }),
  );
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, length) => {
      const part = text.slice(0, length % (text.length + 1));
      assert.equal(typeof answer(part, '1'), 'string');
    }),
  );
});

test('nesting without end is no matter', () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  assert.equal(answer(`{"a":${deep},"id":1}`, '2'), `{"a":${deep},"id":2}`);
  assert.equal(answer(`{"id":1,"a":${'['.repeat(200_000)}`, '2').slice(0, 8), '{"id":1,');
});
