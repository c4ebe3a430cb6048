import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { VaryItem } from '../../src/config/vary.ts';
import type { KeyParts } from '../../src/live/channel-key.ts';
import { identify } from '../../src/live/channel-key.ts';
import type { Downstream } from '../../src/shared/downstream.ts';
import { headerValues } from '../../src/shared/raw-headers.ts';

const SECRET = Buffer.alloc(32, 7);

const DOWNSTREAM: Downstream = {
  address: '192.0.2.1',
  peer: '127.0.0.1',
  scheme: 'https',
  authority: 'shop.example',
  host: 'shop.example',
  trusted: false,
};

const COOKIES: VaryItem = { kind: 'cookies' };
const AUTHORIZATION: VaryItem = { kind: 'header', name: 'authorization' };
const USER: VaryItem = { kind: 'header', name: 'x-user' };

function identity(
  vary: readonly VaryItem[],
  rawHeaders: readonly string[] = [],
  rest: Partial<KeyParts> = {},
) {
  const content = undefined;
  const kind = 'state';
  const parts = { kind, endpoint: '/a', target: '/a', content, vary, rawHeaders } as const;
  return identify({ ...parts, downstream: DOWNSTREAM, ...rest }, SECRET);
}

/** What a poll would carry, without the two headers that it always has. */
function carried(
  vary: readonly VaryItem[],
  rawHeaders: readonly string[],
): Record<string, readonly string[]> {
  const {
    host,
    'x-forwarded-proto': scheme,
    ...rest
  } = Object.fromEntries(identity(vary, rawHeaders).forwarded);
  assert.deepEqual([host, scheme], [['shop.example'], ['https']]);
  return rest;
}

test('a public endpoint carries nothing of a client', () => {
  const headers = ['Cookie', 'a=1', 'Authorization', 'Basic x', 'X-Forwarded-For', '1.2.3.4'];
  assert.deepEqual(carried([], headers), {});
});

test('a header that is varied on is carried whole, with all its values in order', () => {
  const headers = ['X-USER', 'b', 'Accept', 'x', 'x-user', 'a'];
  assert.deepEqual(carried([USER], headers), { 'x-user': ['b', 'a'] });
});

test('a header that is absent is not carried, one that is empty is', () => {
  assert.deepEqual(carried([USER], []), {});
  assert.deepEqual(carried([USER], ['X-User', '']), { 'x-user': [''] });
});

test('the client address is the one that can be believed', () => {
  const headers = ['X-Forwarded-For', '6.6.6.6'];
  assert.deepEqual(carried([{ kind: 'address' }], headers), { 'x-forwarded-for': ['192.0.2.1'] });
});

test('of the cookies only those that are named are carried', () => {
  const SID: VaryItem = { kind: 'cookie', name: 'sid' };
  const table: [readonly string[], Record<string, readonly string[]>][] = [
    [[], {}],
    [['Cookie', 'other=1'], {}],
    [['Cookie', ''], {}],
    [['Cookie', 'a=1; sid=2; b=3'], { cookie: ['sid=2'] }],
    [['Cookie', 'sid=2;sid=1'], { cookie: ['sid=2; sid=1'] }],
    [['Cookie', 'sid=2', 'Cookie', 'sid=1'], { cookie: ['sid=2; sid=1'] }],
    [['Cookie', 'sid'], { cookie: ['sid'] }],
    [['Cookie', 'sid='], { cookie: ['sid='] }],
    [['Cookie', 'sid=a=b'], { cookie: ['sid=a=b'] }],
    [['Cookie', '\ta=1;\t sid=2 \t'], { cookie: ['sid=2'] }],
    // The last byte of an "à" in UTF-8 is white space in Latin-1.
    [['Cookie', 'sid=\xc3\xa0; a=1'], { cookie: ['sid=\xc3\xa0'] }],
    [['Cookie', '\xa0sid=1; sid\xa0=2'], {}],
    [['Cookie', 'xsid=1; sidx=2; SID=3; x=sid=4'], {}],
  ];
  for (const [headers, expected] of table) assert.deepEqual(carried([SID], headers), expected);
});

test('all cookies win over named ones', () => {
  const vary: VaryItem[] = [{ kind: 'cookie', name: 'sid' }, COOKIES];
  assert.deepEqual(carried(vary, ['Cookie', 'a=1; sid=2']), { cookie: ['a=1; sid=2'] });
});

test('values that read the same when joined are different identities', () => {
  const vary = [USER, AUTHORIZATION, COOKIES];
  const names = [
    ['X-User', 'ab', 'Authorization', 'c'],
    ['X-User', 'a', 'Authorization', 'bc'],
    ['X-User', 'abc'],
    ['X-User', 'abc', 'Authorization', ''],
    ['Authorization', 'abc'],
    ['X-User', 'a', 'X-User', 'b', 'Authorization', 'c'],
    ['X-User', 'a,b', 'Authorization', 'c'],
    ['X-User', 'a","b', 'Authorization', 'c'],
    ['Cookie', 'a=1; b=2'],
    ['Cookie', 'b=2; a=1'],
    ['Cookie', 'a=1', 'Cookie', 'b=2'],
    ['Cookie', ''],
    [],
  ].map((headers) => identity(vary, headers).channel);
  assert.equal(new Set(names).size, names.length);
});

test('every component is part of the name', () => {
  const vary = [USER, COOKIES, { kind: 'address' } as const];
  const headers = ['X-User', 'a', 'Cookie', 'b=1', 'Cookie', 'c=1'];
  const without = (start: number) => headers.filter((_, i) => i < start || i > start + 1);
  const names = [
    identity(vary, headers),
    ...[0, 2, 4].map((start) => identity(vary, without(start))),
    identity(vary, headers, { endpoint: '/:x' }),
    identity(vary, headers, { content: { type: undefined, bytes: Buffer.from('') } }),
    identity(vary, headers, { content: { type: '', bytes: Buffer.from('') } }),
    identity(vary, headers, { content: { type: 'a', bytes: Buffer.from('b') } }),
    identity(vary, headers, { content: { type: 'b', bytes: Buffer.from('a') } }),
    identity(vary, headers, { content: { type: 'a', bytes: Buffer.from([0xe9]) } }),
    identity(vary, headers, { content: { type: 'a', bytes: Buffer.from('é') } }),
    identity(vary, headers, { kind: 'session' }),
    identity(vary, headers, { target: '/b' }),
    identity(vary, headers, { target: '/a?' }),
    identity(vary, headers, { downstream: { ...DOWNSTREAM, host: 'shop.example:8443' } }),
    identity(vary, headers, { downstream: { ...DOWNSTREAM, scheme: 'http' } }),
    identity(vary, headers, { downstream: { ...DOWNSTREAM, address: '192.0.2.2' } }),
  ].map(({ channel }) => channel);
  assert.equal(new Set(names).size, names.length);
});

test('a name fits anywhere, and tells nothing without the secret', () => {
  const { channel } = identity([COOKIES], ['Cookie', 'sid=hunter2']);
  assert.match(channel, /^[\w-]{43}$/);
  const asked = { kind: 'state', endpoint: '/a', target: '/a', content: undefined } as const;
  const parts = { ...asked, vary: [COOKIES], downstream: DOWNSTREAM };
  const other = identify({ ...parts, rawHeaders: ['Cookie', 'sid=hunter2'] }, Buffer.alloc(32, 8));
  assert.notEqual(other.channel, channel);
});

// Small alphabets, so that two random identities are often equal or nearly so.
const variable: fc.Arbitrary<VaryItem> = fc.constantFrom<VaryItem>(
  COOKIES,
  { kind: 'cookie', name: 'a' },
  { kind: 'cookie', name: 'b' },
  AUTHORIZATION,
  USER,
  { kind: 'address' },
);
const field = fc.tuple(
  fc.constantFrom('Cookie', 'cookie', 'Authorization', 'X-User', 'x-user', 'Accept', 'X-Other'),
  fc.constantFrom('', 'a', 'b', 'ab', 'c', 'bc', 'a=1', 'a=1; b=2', 'b=2;a=1', 'a=1; c=3', '"'),
);
const request = fc.record({
  fields: fc.array(field, { maxLength: 4 }),
  target: fc.constantFrom('/a', '/b'),
  host: fc.constantFrom('shop.example', 'shop.example:81'),
  address: fc.constantFrom('192.0.2.1', '192.0.2.2'),
});
const some = fc.uniqueArray(variable, { maxLength: 4, selector: (item) => JSON.stringify(item) });

test('two requests share a channel exactly when their polls would be the same', () => {
  let equal = 0;
  fc.assert(
    fc.property(some, request, request, (vary, left, right) => {
      const [a, b] = [left, right].map(({ fields, target, host, address }) => ({
        target,
        ...identity(vary, fields.flat(), { target, downstream: { ...DOWNSTREAM, host, address } }),
      }));
      const poll = (of: typeof a) => JSON.stringify([of?.target, [...(of?.forwarded ?? [])]]);
      assert.equal(a?.channel === b?.channel, poll(a) === poll(b));
      if (a?.channel === b?.channel) equal += 1;
    }),
    { numRuns: 3_000 },
  );
  assert.ok(equal > 20, `only ${equal} pairs were equal: the test says too little`);
});

test('a poll carries nothing that the endpoint does not vary on', () => {
  fc.assert(
    fc.property(some, request, (vary, { fields }) => {
      const rawHeaders = fields.flat();
      for (const [name, values] of Object.entries(carried(vary, rawHeaders))) {
        if (name === 'x-forwarded-for') {
          assert.ok(vary.some(({ kind }) => kind === 'address'));
        } else if (name === 'cookie' && !vary.includes(COOKIES)) {
          const names = vary.flatMap((item) => (item.kind === 'cookie' ? [item.name] : []));
          for (const pair of values.join('; ').split('; ')) {
            assert.ok(names.includes(pair.split('=')[0] ?? ''), pair);
          }
        } else {
          const named = vary.some((item) => item.kind === 'header' && item.name === name);
          assert.ok(named || name === 'cookie', name);
          assert.deepEqual(values, headerValues(rawHeaders, name));
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
