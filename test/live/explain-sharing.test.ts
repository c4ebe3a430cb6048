import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readQuestion } from '../../src/live/asked-request.ts';
import { differingParts, explainSharing } from '../../src/live/explain-sharing.ts';
import { explained } from './explain-asked.ts';

const URL = 'http://shop.example/a';
const sharing = (vary: readonly string[], ...headers: string[]) =>
  explained({ live: { '/a': { every: '1s', vary } } }, { target: URL, headers }).sharing;

test('an endpoint that varies on nothing is public', () => {
  assert.deepEqual(sharing([]), {
    kind: 'public',
    reason: 'polls carry no credential, and all clients of the same host share them',
  });
});

test('an endpoint that varies on a parameter only is public: it is part of the address', () => {
  assert.equal(sharing(['query:page'])?.kind, 'public');
});

test('by default an endpoint is private, by cookies and authorization', () => {
  const told = explained({ live: { '/a': '1s' } }, URL).sharing;
  assert.equal(told?.kind, 'private');
  assert.match(told?.reason ?? '', /carry a client's cookie and authorization, and only/);
  assert.deepEqual(told?.missing, ['cookie', 'authorization']);
});

const PARTS: readonly [item: string, headers: readonly string[]][] = [
  ['cookie', ['Cookie', 'a=1']],
  ['cookie:SESSION', ['Cookie', 'a=1; SESSION=2']],
  ['authorization', ['authorization', 'Basic eDp5']],
  ['x-tenant', ['X-Tenant', '']],
  ['ip', ['X-Forwarded-For', '203.0.113.9']],
];
for (const [item, headers] of PARTS) {
  test(`a request is told that it has no ${item}, by name alone`, () => {
    assert.deepEqual(sharing([item])?.missing, [item]);
    assert.equal(sharing([item], ...headers)?.missing, undefined);
  });
}

test('a cookie of a similar name is another one', () => {
  for (const cookie of ['session=1', 'SESSION2=1', 'x=SESSION=1', 'XSESSION=1']) {
    assert.deepEqual(sharing(['cookie:SESSION'], 'Cookie', cookie)?.missing, ['cookie:SESSION']);
  }
});

test('a bare path is told that it has no host', () => {
  const live = { '/a': { every: '1s', vary: [] } };
  assert.deepEqual(explained({ live }, '/a').sharing?.missing, ['host']);
  const headers = ['Host', 'shop.example'];
  assert.equal(explained({ live }, { target: '/a', headers }).sharing?.missing, undefined);
});

test('no value of a header is in the explanation', () => {
  const headers = ['Cookie', 'SESSION=s3cret', 'Authorization', 'Bearer s3cret', 'X-K', 's3cret'];
  const live = { '/a': { every: '1s', vary: ['cookie:SESSION', 'authorization', 'x-k'] } };
  const told = explained({ live }, { target: URL, headers, body: 's3cret' });
  assert.doesNotMatch(JSON.stringify(told), /s3cret/);
});

test('where sessions are let in, all of them share', () => {
  const asked = readQuestion({ target: URL, method: 'GET', headers: [] });
  const authorizedBy = [{ kind: 'cookie', name: 'SESSION' }] as const;
  const told = explainSharing({ vary: [], authorizedBy }, asked);
  assert.equal(told.kind, 'authorized');
  assert.match(told.reason, /whom the site lets in: .* its own cookie:SESSION$/);
  assert.deepEqual(told.missing, ['cookie:SESSION']);
});

test('headers by a pattern are missing when none fits', () => {
  const vary = [{ kind: 'headers', pattern: 'x-csrf-*' }] as const;
  const asked = (...headers: string[]) => readQuestion({ target: URL, method: 'GET', headers });
  assert.deepEqual(explainSharing({ vary }, asked()).missing, ['x-csrf-*']);
  assert.equal(explainSharing({ vary }, asked('X-CSRF-Token', 'x')).missing, undefined);
});

test('what two clients differ in is told by name, as people call it', () => {
  const part = (entries: Record<string, readonly string[]>) => new Map(Object.entries(entries));
  const mine = part({
    host: ['a.example'],
    'x-forwarded-proto': ['https'],
    'x-forwarded-for': ['10.0.0.1'],
    cookie: ['SESSION=1'],
    'x-same': ['1'],
  });
  const other = part({
    host: ['b.example'],
    'x-forwarded-proto': ['http'],
    cookie: ['SESSION=1', 'SESSION=1'],
    'x-same': ['1'],
    authorization: [''],
  });
  const expected = ['host', 'scheme', 'ip', 'cookie', 'authorization'];
  assert.deepEqual(differingParts(mine, other), expected);
  assert.deepEqual(differingParts(other, mine).sort(), [...expected].sort());
  assert.deepEqual(differingParts(mine, mine), []);
});
