import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTrust, identifyDownstream } from '../../src/server/identify-downstream.ts';

const TRUST = createTrust(['10.0.0.0/8', '192.0.2.9', 'fd00::/8', '::1']);

interface Case {
  readonly peer: string | undefined;
  readonly sent: readonly string[];
  readonly address: string;
  readonly scheme?: 'http' | 'https';
  readonly isEncrypted?: boolean;
}

const xff = (...values: string[]) => values.flatMap((value) => ['X-Forwarded-For', value]);
const proto = (value: string) => ['X-Forwarded-Proto', value];

const CASES: Record<string, Case> = {
  'a stranger is its own address': { peer: '203.0.113.5', sent: [], address: '203.0.113.5' },
  'a stranger is not believed': {
    peer: '203.0.113.5',
    sent: [...xff('10.0.0.1'), ...proto('https')],
    address: '203.0.113.5',
  },
  'encryption of the connection itself counts': {
    peer: '203.0.113.5',
    sent: proto('http'),
    isEncrypted: true,
    address: '203.0.113.5',
    scheme: 'https',
  },
  'a trusted peer vouches for the client': {
    peer: '10.0.0.1',
    sent: [...xff('203.0.113.5'), ...proto('HTTPS')],
    address: '203.0.113.5',
    scheme: 'https',
  },
  'a trusted peer that says nothing is the client': {
    peer: '10.0.0.1',
    sent: [],
    address: '10.0.0.1',
  },
  'the rightmost address that is not trusted is the client': {
    peer: '10.0.0.1',
    sent: xff('6.6.6.6, 203.0.113.5, 10.0.0.2'),
    address: '203.0.113.5',
  },
  'several lines are one list': {
    peer: '10.0.0.1',
    sent: xff('6.6.6.6', '203.0.113.5 ,, 192.0.2.9', '10.0.0.2'),
    address: '203.0.113.5',
  },
  'when all are trusted the first is the client': {
    peer: '10.0.0.1',
    sent: xff('10.0.0.3, 10.0.0.2'),
    address: '10.0.0.3',
  },
  'garbage ends the part that can be believed': {
    peer: '10.0.0.1',
    sent: xff('203.0.113.5, unknown, 10.0.0.2'),
    address: '10.0.0.2',
  },
  'garbage alone is ignored': { peer: '10.0.0.1', sent: xff('<script>'), address: '10.0.0.1' },
  'an address with a port is garbage': {
    peer: '10.0.0.1',
    sent: xff('203.0.113.5:4711'),
    address: '10.0.0.1',
  },
  'an IPv4 address in IPv6 form is an IPv4 address': {
    peer: '::ffff:10.0.0.1',
    sent: xff('::FFFF:203.0.113.5'),
    address: '203.0.113.5',
  },
  'IPv6 networks': { peer: 'fd12::1', sent: xff('2001:db8::7'), address: '2001:db8::7' },
  'a unix socket': { peer: undefined, sent: xff('203.0.113.5'), address: 'unix' },
  'the last scheme of a list': {
    peer: '10.0.0.1',
    sent: proto('https, http'),
    address: '10.0.0.1',
    scheme: 'http',
  },
  'an unknown scheme': { peer: '10.0.0.1', sent: proto('gopher'), address: '10.0.0.1' },
};

for (const [name, { peer, sent, address, scheme = 'http', isEncrypted = false }] of Object.entries(
  CASES,
)) {
  test(`who sent a request: ${name}`, () => {
    const found = identifyDownstream(sent, { address: peer, isEncrypted }, 'site.test', TRUST);
    assert.deepEqual([found.address, found.scheme, found.host], [address, scheme, 'site.test']);
  });
}

test('the peer is told apart from the client', () => {
  const peer = { address: '::ffff:10.0.0.1', isEncrypted: false };
  const found = identifyDownstream(xff('203.0.113.5'), peer, 'a', TRUST);
  assert.deepEqual([found.peer, found.trusted], ['10.0.0.1', true]);
});

test('no network is trusted unless it is listed', () => {
  const nobody = createTrust([]);
  for (const address of ['127.0.0.1', '::1', '10.0.0.1', 'unix', '']) {
    assert.equal(nobody(address), false);
  }
});

test('addresses are trusted by network', () => {
  const inside = ['10.255.0.1', '192.0.2.9', '::1', 'fdff::1'];
  const outside = ['11.0.0.1', '192.0.2.10', '::2', 'fe80::1', 'unix', '10.0.0', '10.0.0.1:80'];
  assert.deepEqual(
    inside.map(TRUST),
    inside.map(() => true),
  );
  assert.deepEqual(
    outside.map(TRUST),
    outside.map(() => false),
  );
});
