import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PageRequest } from '../../src/client/request-key.ts';
import { requestKey } from '../../src/client/request-key.ts';
import type { Rule } from '../../src/client/told.ts';

const GET: PageRequest = { method: 'GET', target: '/a', headers: {}, body: '' };
const RULE: Rule = { query: [], body: [], isRpc: false };

const SAME: [rule: string, Partial<Rule>, Partial<PageRequest>, Partial<PageRequest>][] = [
  ['cache-busters that are ignored', { query: ['_'] }, { target: '/a?_=1' }, { target: '/a?_=2' }],
  ['one that is there or not', { query: ['_'] }, { target: '/a' }, { target: '/a?_=2' }],
  ['patterns', { query: ['m?', 'x*'] }, { target: '/a?m1&b&xyz=1' }, { target: '/a?b' }],
  ['escaped names', { query: ['é'] }, { target: '/a?%C3%A9=1' }, { target: '/a' }],
  [
    'conditions and orders to caches',
    {},
    { headers: { 'if-none-match': '"1"', 'cache-control': 'no-cache', pragma: 'no-cache' } },
    {},
  ],
  ['the order of headers', {}, { headers: { a: '1', b: '2' } }, { headers: { b: '2', a: '1' } }],
  ['ids of calls', { isRpc: true }, { body: '{"id":1,"m":"x"}' }, { body: '{"id":2,"m":"x"}' }],
  [
    'fields of JSON that are ignored',
    { body: ['/p/*/t', '/a~1b'] },
    { body: '{"p":[{"t":1,"k":1},{"t":2}],"a/b":1}' },
    { body: '{"p":[{"t":3,"k":1},{"t":4}],"a/b":2}' },
  ],
  ['fields of forms', { body: ['token'] }, { body: 'a=1&token=x' }, { body: 'a=1&token=y' }],
];
for (const [rule, part, one, other] of SAME) {
  test(`two requests are one poll: ${rule}`, () => {
    const key = (request: Partial<PageRequest>) =>
      requestKey({ ...GET, ...request }, { ...RULE, ...part });
    assert.equal(key(one), key(other));
  });
}

const OTHER: [rule: string, Partial<Rule>, Partial<PageRequest>, Partial<PageRequest>][] = [
  ['another query', { query: ['_'] }, { target: '/a?b=1' }, { target: '/a?b=2' }],
  ['an empty query', { query: ['_'] }, { target: '/a?' }, { target: '/a?b' }],
  ['another path', {}, { target: '/a' }, { target: '/b' }],
  ['another method', {}, { method: 'POST' }, { method: 'GET' }],
  ['another body', {}, { body: '{"a":1}' }, { body: '{"a":2}' }],
  ['a body, byte for byte', {}, { body: '{"a":1}' }, { body: '{"a": 1}' }],
  ['a header of a script', {}, { headers: { authorization: 'A' } }, { headers: {} }],
  ['its value', {}, { headers: { 'x-token': '1' } }, { headers: { 'x-token': '2' } }],
  ['a dot is no letter', { query: ['a.c'] }, { target: '/a?abc=1' }, { target: '/a?abc=2' }],
];
for (const [rule, part, one, other] of OTHER) {
  test(`two requests are two polls: ${rule}`, () => {
    const key = (request: Partial<PageRequest>) =>
      requestKey({ ...GET, ...request }, { ...RULE, ...part });
    assert.notEqual(key(one), key(other));
  });
}

test('a target cannot pretend to be a header', () => {
  const key = (request: Partial<PageRequest>) => requestKey({ ...GET, ...request }, RULE);
  assert.notEqual(key({ body: 'a:b', headers: {} }), key({ body: '', headers: { a: 'b' } }));
});
