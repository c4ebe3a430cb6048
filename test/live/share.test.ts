import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConfig } from '../../src/config/load.ts';
import type { Endpoint } from '../../src/live/endpoint.ts';
import { createLivePaths } from '../../src/live/endpoint.ts';
import { isInShare } from '../../src/live/share.ts';
import { explained } from './explain-asked.ts';

interface Asking {
  readonly address?: string;
  readonly headers?: readonly string[];
}

function endpointOf(share: string, keys: object = {}, pattern = '/a'): Endpoint {
  const live = { [pattern]: { every: '2s', share, ...keys } };
  const config = checkConfig({ site: 'http://127.0.0.1:3000', live }, 'test');
  const [endpoint] = createLivePaths(config.live)[0]?.endpoints ?? [];
  assert.ok(endpoint);
  return endpoint;
}

function isInside(endpoint: Endpoint, { address = '192.0.2.1', headers = [] }: Asking): boolean {
  const host = { scheme: 'http', authority: 'a.test', host: 'a.test' } as const;
  const downstream = { address, peer: address, trusted: false, ...host };
  return isInShare(endpoint, { downstream, rawHeaders: headers });
}

const SESSIONS: readonly Asking[] = Array.from({ length: 4_000 }, (_, i) => ({
  headers: ['Cookie', `SESSION=${i}`],
}));
const inside = (endpoint: Endpoint, clients = SESSIONS) =>
  clients.filter((client) => isInside(endpoint, client));

test('a share has about so many clients, "0%" none and "100%" all', () => {
  const counts = ['0%', '5%', '50%', '95%', '100%'].map(
    (share) => inside(endpointOf(share)).length,
  );
  const [none = 1, few = 0, half = 0, most = 0, all = 0] = counts;
  assert.equal(none, 0);
  assert.ok(few > 140 && few < 260, `${few} of 200`);
  assert.ok(half > 1_850 && half < 2_150, `${half} of 2000`);
  assert.ok(most > 3_740 && most < 3_860, `${most} of 3800`);
  assert.equal(all, SESSIONS.length);
});

test('who is inside stays inside while the share grows', () => {
  const shares = ['1%', '5%', '20%', '50%', '100%'].map(
    (share) => new Set(inside(endpointOf(share))),
  );
  for (const [i, smaller] of shares.entries()) {
    const larger = shares[i + 1] ?? smaller;
    assert.ok([...smaller].every((client) => larger.has(client)));
  }
});

test('it is the same clients after a restart, on every node, and in the next version', () => {
  const endpoint = endpointOf('10%', { vary: ['cookie:SESSION'] });
  const numbers = SESSIONS.slice(0, 60).flatMap((client, i) =>
    isInside(endpoint, client) ? [i] : [],
  );
  assert.deepEqual(numbers, [2, 10, 33, 38, 40, 43, 47, 52, 56, 59]);
});

test('the same clients are inside of every endpoint that is keyed by the same', () => {
  const one = endpointOf('30%', { vary: ['cookie:SESSION'] }, '/one');
  for (const keys of [
    { vary: ['cookie:SESSION', 'query:page', 'x-tenant'] },
    { authorizedBy: ['cookie:SESSION'], every: '1s..1m', polls: 'hold' },
    { vary: ['cookie'] },
  ]) {
    assert.deepEqual(
      inside(endpointOf('30%', keys, '/other/**')),
      inside(one),
      JSON.stringify(keys),
    );
  }
});

/** How often two clients that are not the same one are both inside, or both outside. */
function agreeing(keys: object, change: (i: number) => readonly [Asking, Asking]): number {
  const endpoint = endpointOf('50%', keys);
  const pairs = Array.from({ length: 400 }, (_, i) => change(i));
  return pairs.filter(([a, b]) => isInside(endpoint, a) === isInside(endpoint, b)).length;
}

const cookie = (text: string, ...more: string[]): Asking => ({
  headers: ['Cookie', text, ...more],
});
const SAME: readonly [what: string, keys: object, change: (i: number) => [Asking, Asking]][] = [
  [
    'a session that comes from another address, with another browser and other cookies',
    { vary: ['cookie:S'] },
    (i) => [
      cookie(`S=${i}; a=1`),
      { address: '192.0.2.9', ...cookie(`b=2;S=${i}`, 'User-Agent', 'x') },
    ],
  ],
  [
    'a session whose cookies come in another order',
    { vary: ['cookie:S', 'cookie:T'] },
    (i) => [cookie(`S=${i}; T=1`), cookie(`T=1; S=${i}`)],
  ],
  [
    'a client without a credential that asks for something else',
    { vary: [] },
    (i) => [
      { address: `192.0.2.${i % 250}`, headers: ['User-Agent', `a${i}`, 'Accept', '*/*'] },
      { address: `192.0.2.${i % 250}`, headers: ['user-agent', `a${i}`, 'Cookie', 'S=1'] },
    ],
  ],
];
for (const [what, keys, change] of SAME) {
  test(`${what} is the same client`, () => {
    assert.equal(agreeing(keys, change), 400);
  });
}

const OTHERS: readonly [what: string, keys: object, change: (i: number) => [Asking, Asking]][] = [
  ['another session', { vary: ['cookie:S'] }, (i) => [cookie(`S=${i}`), cookie(`S=${i}x`)]],
  [
    'another Authorization',
    { vary: ['authorization'] },
    (i) => [
      { headers: ['Authorization', `Basic ${i}`] },
      { headers: ['authorization', `Basic ${i}x`] },
    ],
  ],
  [
    'another address without a credential',
    { vary: ['cookie'] },
    (i) => [{ address: `192.0.2.${i % 250}` }, { address: `198.51.100.${i % 250}` }],
  ],
  [
    'another browser without a credential',
    { vary: ['cookie:S'] },
    (i) => [{ headers: ['User-Agent', `a${i}`] }, { headers: ['User-Agent', `b${i}`] }],
  ],
];
for (const [what, keys, change] of OTHERS) {
  test(`${what} is another client`, () => {
    const count = agreeing(keys, change);
    assert.ok(count > 130 && count < 270, `${count} of 200`);
  });
}

const EXPLAINED: readonly [share: string, headers: readonly string[], why: RegExp][] = [
  ['100%', [], /^matches "\/a"$/],
  ['0%', ['Cookie', 'S=1'], /^matches "\/a"$/],
  ['99.999%', ['Cookie', 'S=1'], /, by a client inside of the 99\.999%$/],
  ['0.001%', ['X-Forwarded-For', '192.0.2.1'], /, by a client outside of the 0\.001%$/],
  ['7%', [], /, by a client that its address puts inside or outside of the 7%$/],
];
for (const [share, headers, why] of EXPLAINED) {
  test(`it is explained where a client is: ${share}, ${headers.join(': ')}`, () => {
    const live = { '/a': { every: '2s', share } };
    assert.match(explained({ live }, { target: '/a', headers }).why, why);
  });
}
