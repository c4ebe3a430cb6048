import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerTo, bytesOf, withId } from '../../src/client/answer.ts';
import type { LiveState } from '../../src/client/live-states.ts';

const STATE: LiveState = {
  id: 'e-1',
  status: 200,
  contentType: 'application/json',
  headers: { etag: '"e1"', 'last-modified': 'Mon', 'content-type': 'application/json' },
  data: '{"n":1}',
  isBase64: false,
};
const request = (headers: Record<string, string> = {}, body = '') => ({
  method: 'GET',
  target: '/a',
  headers,
  body,
});

test('an answer is the state with its status, type and headers', () => {
  const answer = answerTo(request(), STATE, false);
  assert.deepEqual(
    [answer.status, answer.statusText, answer.data, answer.headers['etag']],
    [200, 'OK', '{"n":1}', '"e1"'],
  );
  assert.equal(answer.headers['content-type'], 'application/json');
});

test('who has the state by its own condition is told so', () => {
  for (const headers of [{ 'if-none-match': '"e1"' }, { 'if-modified-since': 'Mon' }]) {
    const { status, data } = answerTo(request(headers), STATE, false);
    assert.deepEqual([status, data], [304, '']);
  }
  assert.equal(answerTo(request({ 'if-none-match': '"e0"' }), STATE, false).status, 200);
  const bare = { ...STATE, headers: {} };
  assert.equal(answerTo(request({ 'if-modified-since': 'Mon' }), bare, false).status, 200);
});

test('bytes are UTF-8, or what was in base64', () => {
  const text = answerTo(request(), { ...STATE, data: 'é😀' }, false);
  assert.equal(Buffer.from(bytesOf(text)).toString(), 'é😀');
  const image = answerTo(request(), { ...STATE, data: '/wD+', isBase64: true }, false);
  assert.deepEqual([...bytesOf(image)], [255, 0, 254]);
});

const IDS: [text: string, expected: string][] = [
  ['{"id":1,"r":{"id":1}}', '{"id":7,"r":{"id":1}}'],
  ['{"r":{"id":1},"id": 1 }', '{"r":{"id":1},"id":7}'],
  ['{"r":"\\"id\\":1","id":"x"}', '{"r":"\\"id\\":1","id":7}'],
  ['{"id":{"a":[1,2]},"r":1}', '{"id":7,"r":1}'],
  ['{"a":"id","id":1}', '{"a":"id","id":7}'],
  ['{"n":12345678901234567890}', '{"n":12345678901234567890}'],
  ['[{"id":1}]', '[{"id":1}]'],
  ['no JSON', 'no JSON'],
];
for (const [text, expected] of IDS) {
  test(`the id of ${text} is that of the call, and nothing else changes`, () => {
    assert.equal(withId(text, '7'), expected);
  });
}

test('the answer to a call carries its own id', () => {
  const state = { ...STATE, data: '{"id":1,"result":2}' };
  assert.equal(answerTo(request({}, '{"id":"b"}'), state, true).data, '{"id":"b","result":2}');
  assert.equal(answerTo(request({}, 'x'), state, true).data, state.data);
});

test('a text that came in another charset is known to be one', () => {
  const headers = { 'content-type': 'text/plain; charset=iso-8859-1' };
  const told = { ...STATE, headers, contentType: 'text/plain; charset=utf-8' };
  assert.equal(answerTo(request(), told, false).isRecoded, true);
  assert.equal(answerTo(request(), STATE, false).isRecoded, false);
  assert.equal(answerTo(request(), { ...STATE, headers: {} }, false).isRecoded, false);
});
