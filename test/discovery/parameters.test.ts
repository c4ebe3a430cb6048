import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolledUrl } from '../../src/shared/discovery-report.ts';
import { seededRandom } from './random.ts';
import type { Timer } from './scenes.ts';
import { discoverIn } from './scenes.ts';

const EVERY = { everyMs: 5_000 } as const;

function rolesOf(url: PolledUrl | undefined): Record<string, string> {
  return Object.fromEntries((url?.parameters ?? []).map(({ name, role }) => [name, role]));
}

const random = seededRandom(1);
const letters = () => random().toString(36).slice(2, 10);

const QUERIES: readonly [rule: string, target: Timer['target'], role: string, name?: string][] = [
  ['the time in milliseconds', (_, at) => `/a?foo=${at + 37}`, 'buster'],
  ['the time in seconds', (_, at) => `/a?foo=${Math.floor(at / 1_000)}`, 'buster'],
  ['the time on a clock that is hours wrong', (_, at) => `/a?foo=${at - 9 * 3_600_000}`, 'buster'],
  ['a random fraction', () => `/a?foo=${random()}`, 'buster'],
  ['a random number', () => `/a?foo=${Math.floor(random() * 1e9)}`, 'buster'],
  [
    'another text each time under a name that says so',
    () => `/a?nocache=x${letters()}`,
    'buster',
    'nocache',
  ],
  ['a number that only rises', (i) => `/a?foo=${100 + i}`, 'cursor'],
  ['a number that rises now and then', (i) => `/a?foo=${100 + (i >> 2)}`, 'cursor'],
  ['a time that is called a cursor', (_, at) => `/a?since=${at}`, 'cursor', 'since'],
  ['a cursor that never moves', () => '/a?lastEventId=0', 'cursor', 'lastEventId'],
  ['another text each time', () => `/a?foo=x${letters()}`, 'cursor'],
  ['a number that stays', () => '/a?foo=17', 'part'],
  ['a text that stays', () => '/a?foo=open', 'part'],
  [
    'a time that stays is a time all the same',
    (_, at) => `/a?foo=${at - (at % 3_600_000)}`,
    'buster',
  ],
  ['the name of a call', (i) => `/a?callback=jQuery${i}x${letters()}`, 'call', 'callback'],
];
for (const [rule, target, role, name = 'foo'] of QUERIES) {
  test(`a parameter with ${rule} is a ${role}`, () => {
    const { found } = discoverIn({ ...EVERY, target });
    assert.equal(found.length, 1);
    assert.deepEqual(rolesOf(found[0]), { [name]: role });
    assert.equal(found[0]?.obstacle === undefined, role === 'buster' || role === 'part');
  });
}

test('a cache-buster without a name is told as a pattern that fits those to come', () => {
  const timed = discoverIn({ ...EVERY, target: (_, at) => `/a?${at}` });
  assert.deepEqual(rolesOf(timed.found[0]), { '1????????????': 'buster' });
  const prefixed = discoverIn({ ...EVERY, target: () => `/a?m${letters().slice(0, 6)}7` });
  assert.deepEqual(rolesOf(prefixed.found[0]), { 'm???????': 'buster' });
  assert.match(prefixed.config ?? '', /"ignoreQuery": \["m\?{7}"\]/);
});

test('a pattern that would take other parameters too is not suggested', () => {
  const { found, config } = discoverIn({
    ...EVERY,
    target: () => `/a?m${letters().slice(0, 6)}7&measured=1`,
  });
  assert.equal(rolesOf(found[0])['m???????'], 'buster');
  assert.match(found[0]?.obstacle ?? '', /"m\?{7}" in the config would mean others too/);
  assert.equal(config, undefined);
});

test('polls that differ in a cache-buster are one, those that differ in anything else are not', () => {
  const { found } = discoverIn(
    { ...EVERY, client: 'anna', target: (_, at) => `/a?view=open&_=${at}` },
    { ...EVERY, client: 'ben', target: (_, at) => `/a?_=${at}&view=late` },
  );
  assert.deepEqual(
    found.map(({ path, variants }) => [path, variants]),
    [['/a', 2]],
  );
  assert.deepEqual(found[0]?.parameters.find(({ name }) => name === 'view')?.values, [
    '"open"',
    '"late"',
  ]);
});

test('a parameter that tells polls from other requests of the path becomes a match', () => {
  const clicks = Array.from({ length: 9 }, (_, i) => ({
    everyMs: 1,
    times: 1,
    startMs: 11_000 * i * i,
    target: `/index.php?action=${['edit', 'list'][i % 2]}&id=${i * 7}`,
  }));
  const { found, config = '' } = discoverIn(
    { ...EVERY, target: '/index.php?action=status' },
    ...clicks,
  );
  assert.deepEqual(rolesOf(found[0]), { action: 'choice' });
  assert.match(config, /"match": \{ "query": \{ "action": "status" \} \}/);
});

test('JSON-RPC: the method tells polls from actions, and the id of a call does not count', () => {
  const { found, config = '' } = discoverIn(
    {
      everyMs: 2_000,
      target: '/rpc',
      body: (i) => ({
        jsonrpc: '2.0',
        id: i + 1,
        method: 'torrent-get',
        params: { fields: ['name', 'rate'] },
      }),
    },
    {
      everyMs: 1,
      times: 1,
      startMs: 9_000,
      target: '/rpc',
      body: () => ({
        jsonrpc: '2.0',
        id: 5,
        method: 'torrent-remove',
        params: { fields: ['name', 'rate'] },
      }),
    },
  );
  const roles = rolesOf(found[0]);
  assert.deepEqual([roles['/method'], roles['/id']], ['choice', 'call']);
  assert.match(config, /"method": "POST"/);
  assert.match(config, /"match": \{ "body": \{ "\/method": "torrent-get" \} \}/);
  assert.match(config, /"rpc": "json-rpc"/);
});

test('cache-busters deep in a body are ignored by their pointers', () => {
  const { config = '' } = discoverIn({
    ...EVERY,
    target: '/api',
    body: (i) => ({ method: 'status', params: { nocache: Math.floor(random() * 1e9) + i } }),
  });
  assert.match(config, /"ignoreBody": \["\/params\/nocache"\]/);
});

test('of a POST whose body nobody wrote down there is nothing for the config', () => {
  const { found } = discoverIn({
    ...EVERY,
    target: '/rpc',
    request: { method: 'POST', fields: undefined },
  });
  assert.match(found[0]?.obstacle ?? '', /bodies are not written down: a HAR says/);
});

test('a POST in which nothing says what it is for is left to a person', () => {
  const { found } = discoverIn({ ...EVERY, target: '/save', body: () => ({ text: 'hello' }) });
  assert.match(found[0]?.obstacle ?? '', /nothing in its bodies tells polls from actions/);
});

test('values that look like secrets are never shown', () => {
  const secrets = [
    ['token', 'hunter2'],
    ['password', 'hunter2'],
    ['view', 'eyJhbGciOiJIUzI1NiJ9abcdef0123'],
    ['q', 'hunter2'.repeat(20)],
  ] as const;
  for (const [name, value] of secrets) {
    const report = discoverIn(
      { ...EVERY, target: `/a?${name}=${value}` },
      { ...EVERY, target: '/rpc', body: () => ({ method: 'get', [name]: value }) },
    );
    assert.equal(report.found.length, 2);
    assert.ok(!JSON.stringify(report).includes(value), `${name} is shown`);
  }
});
