import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../src/config/load.ts';
import type { SpecialSettings } from '../../src/live/endpoint-words.ts';
import { endpointWords } from '../../src/live/endpoint-words.ts';
import { parsePattern } from '../../src/shared/path-pattern.ts';

function endpointOf(keys: object = {}) {
  const live = { '/a': { every: '2s', ...keys } };
  const [endpoint] = checkConfig({ site: 'http://127.0.0.1:3000', live }, 'test').live['/a'] ?? [];
  assert.ok(endpoint);
  return endpoint;
}
const words = (keys?: object, special: SpecialSettings = {}) =>
  endpointWords({ ...endpointOf(keys), ...special });

test('of an endpoint with nothing but an interval the defaults are told that people ask for', () => {
  const { every, vary, polls, transports, timeout, linger, ignoreQuery } = words();
  assert.deepEqual(
    { every, vary, polls, transports, timeout, linger, ignoreQuery },
    {
      every: '2s',
      vary: 'cookie, authorization',
      polls: 'absorb: a plain GET gets the last known state',
      transports: 'sse, ws, stream, multipart, poll, iframe',
      timeout: '10s',
      linger: '5s',
      ignoreQuery: '_',
    },
  );
});

const KEYS: readonly [keys: object, key: string, text: string][] = [
  [{ every: '1s..30s' }, 'every', '1s..30s, by how often it changes'],
  [{ vary: [] }, 'vary', '[]'],
  [
    { vary: ['cookie:S', 'authorization', 'X-Tenant', 'query:q', 'ip'] },
    'vary',
    'cookie:S, authorization, x-tenant, query:q, ip',
  ],
  [{ polls: 'pass' }, 'polls', "pass: a plain GET gets the site's own answer"],
  [{ polls: 'hold', hold: '10s' }, 'hold', '10s'],
  [
    { share: '0.07%' },
    'share',
    "0.07% of the clients; the others' plain GETs get the site's own answers",
  ],
  [{ share: '0%' }, 'share', "0%: every plain GET gets the site's own answer"],
  [
    { shadow: true },
    'shadow',
    "true: a plain GET gets the site's own answer, which is compared with the state",
  ],
  [{ patch: 'merge' }, 'patch', 'merge'],
  [{ compress: false }, 'compress', 'false'],
  [{ transports: ['sse', 'ws'] }, 'transports', 'sse, ws'],
  [{ ignoreQuery: ['_', 't'] }, 'ignoreQuery', '_, t'],
];
for (const [keys, key, text] of KEYS) {
  test(`${JSON.stringify(keys)} is told as ${key}: ${text}`, () => {
    assert.equal(words(keys)[key], text);
  });
}

const path = (source: string) => ({ kind: 'path', source, segments: [] }) as const;
const SPECIAL: readonly [special: SpecialSettings, key: string, text: string][] = [
  [{ method: 'POST' }, 'method', 'POST'],
  [{ authorizedBy: [{ kind: 'cookie', name: 'S' }] }, 'authorizedBy', 'cookie:S'],
  [{ setCookie: 'drop' }, 'setCookie', 'drop'],
  [{ cacheControl: 'ignore' }, 'cacheControl', 'ignore'],
  [{ select: [path('/a/*')] }, 'select', '/a/*'],
  [{ ignore: [path('/now'), { kind: 'css', selector: '#age' }] }, 'ignore', '/now, css #age'],
  [{ refreshOn: [] }, 'refreshOn', '[]'],
  [{ rpc: 'json-rpc' }, 'rpc', 'json-rpc'],
  [{ handshake: { status: 409, header: 'x-id' } }, 'handshake', 'x-id, handed out with 409'],
  [
    {
      refreshOn: [
        { method: 'POST', pattern: parsePattern('/a/**') },
        { method: undefined, pattern: parsePattern('/b') },
      ],
    },
    'refreshOn',
    'POST /a/**, unsafe /b',
  ],
  [
    {
      match: {
        query: [{ name: 'view', wanted: { values: ['a', 2], mayLack: true } }],
        body: [
          {
            field: { kind: 'json', path: ['a/b', '~'] },
            wanted: { values: 'any', mayLack: false },
          },
          { field: { kind: 'form', name: 'action' }, wanted: { values: [], mayLack: true } },
        ],
      },
    },
    'match',
    'view=a|2|(absent), /a~1b/~0=*, action=(absent)',
  ],
  [
    {
      ignoreBody: [
        { kind: 'json', path: ['id'] },
        { kind: 'form', name: 'n*' },
      ],
    },
    'ignoreBody',
    '/id, n*',
  ],
];
for (const [special, key, text] of SPECIAL) {
  test(`${JSON.stringify(special)} is told as ${key}: ${text}`, () => {
    assert.equal(words({}, special)[key], text);
  });
}

test('of what polls carry for us the names are told, and no value', () => {
  const headers = { 'X-Api-Key': 's3cret', accept: 'application/json' };
  const request = {
    query: [{ name: 'key', value: 's3cret' }],
    body: [{ field: { kind: 'form', name: 'password' }, value: 's3cret' }] as const,
  };
  const told = words({ headers }, { request });
  assert.equal(told['headers'], 'X-Api-Key, accept');
  assert.equal(told['request'], 'key, password');
  assert.doesNotMatch(JSON.stringify(told), /s3cret/);
});

/** What is no reason why a page gets no pushes. */
const LEFT_OUT = ['maxBody', 'history', 'probeEvery', 'ignoreFor', 'compare'];

test('every key of an endpoint is told, or is known to be left out', () => {
  const told = [...KEYS.map(([keys]) => words(keys)), ...SPECIAL.map(([keys]) => words({}, keys))];
  const known = new Set([...told.flatMap(Object.keys), 'request', 'headers', ...LEFT_OUT]);
  const unknown = Object.keys(endpointOf()).filter((key) => !known.has(key));
  assert.deepEqual(unknown, []);
});
