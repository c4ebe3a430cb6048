import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Match } from '../../src/config/request.ts';
import { readQuestion } from '../../src/live/asked-request.ts';
import { objectionTo } from '../../src/live/explain-objection.ts';

const wants = (value: string) => ({ values: [value], mayLack: false });
const QUERY: Match = { query: [{ name: 'view', wanted: wants('status') }], body: [] };
const JSON_BODY: Match = {
  query: [],
  body: [{ field: { kind: 'json', path: ['method'] }, wanted: wants('torrent-get') }],
};
const FORM: Match = {
  query: [],
  body: [{ field: { kind: 'form', name: 'action' }, wanted: wants('status') }],
};
const form = ['Content-Type', 'application/x-www-form-urlencoded'];

/** Of `GET /rpc?view=status`, unless the case says otherwise. */
interface Case {
  readonly method?: 'GET' | 'POST';
  readonly match?: Match;
  readonly asked?: {
    readonly method?: string;
    readonly target?: string;
    readonly headers?: readonly string[];
    readonly body?: string;
  };
  readonly objection: string;
}

const post = (body: string, headers: readonly string[] = []) => ({ method: 'POST', body, headers });
const CASES: readonly [rule: string, one: Case][] = [
  ['HEAD is not meant', { asked: { method: 'HEAD' }, objection: 'its method is HEAD' }],
  ['an endpoint of POST means no GET', { method: 'POST', objection: 'its method is GET' }],
  [
    'a query that does not fit is not',
    { match: QUERY, asked: { target: '/rpc' }, objection: 'its query is not what "match" wants' },
  ],
  [
    'JSON that does not fit is not',
    {
      method: 'POST',
      match: JSON_BODY,
      asked: post('{"method":"torrent-remove"}'),
      objection: 'its body is not what "match" wants',
    },
  ],
  [
    'a form of which everything fits can still not be shaped as the other keys say',
    {
      method: 'POST',
      match: FORM,
      asked: post('action=status', form),
      objection: 'its body is not of the form that "rpc", "request" or "ignoreBody" are for',
    },
  ],
  [
    'a form without its type is none',
    {
      method: 'POST',
      match: FORM,
      asked: post('action=status', ['Content-Type', 'text/plain']),
      objection: 'its body is not what "match" wants',
    },
  ],
  [
    'whoever gives no body is told that it decides',
    {
      method: 'POST',
      match: FORM,
      asked: { method: 'POST' },
      objection: 'it has no body',
    },
  ],
];
for (const [rule, { asked = {}, objection, ...settings }] of CASES) {
  test(rule, () => {
    const question = { target: '/rpc?view=status', method: 'GET', headers: [], ...asked };
    assert.equal(objectionTo(settings, readQuestion(question)), objection);
  });
}
