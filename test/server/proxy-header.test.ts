import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_PROXY_HEADER_BYTES, parseProxyHeader } from '../../src/server/proxy-header.ts';
import { proxyV2 } from '../support/proxy-v2.ts';

const V1: readonly (readonly [text: string, address: string | undefined])[] = [
  ['PROXY TCP4 198.51.100.7 192.0.2.1 35646 80\r\n', '198.51.100.7'],
  ['PROXY TCP6 2001:DB8:0:0::7 2001:db8::1 35646 443\r\n', '2001:db8::7'],
  ['PROXY UNKNOWN\r\n', undefined],
  ['PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n', undefined],
  ['PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n', '255.255.255.255'],
];

for (const [text, address] of V1) {
  test(`version 1 names the client: ${JSON.stringify(text)}`, () => {
    const client = address === undefined ? undefined : { address, isEncrypted: false };
    const expected = { kind: 'whole', length: text.length, client };
    assert.deepEqual(parseProxyHeader(Buffer.from(`${text}GET / HTTP/1.1\r\n`)), expected);
  });
}

const MALFORMED: Record<string, string | Buffer> = {
  'HTTP at once': 'GET / HTTP/1.1\r\n',
  TLS: '\x16\x03\x01\x02\x00',
  'another word': 'PROXYING TCP4 1.1.1.1 2.2.2.2 1 2\r\n',
  'lower case': 'proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n',
  'another protocol': 'PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n',
  'an address of the other family': 'PROXY TCP4 ::1 ::1 1 2\r\n',
  'a destination that is none': 'PROXY TCP4 1.1.1.1 here 1 2\r\n',
  'an octal address': 'PROXY TCP4 010.1.1.1 2.2.2.2 1 2\r\n',
  'no ports': 'PROXY TCP4 1.1.1.1 2.2.2.2\r\n',
  'one port': 'PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n',
  'a port out of range': 'PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n',
  'a signed port': 'PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n',
  'two spaces': 'PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n',
  'more words': 'PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n',
  'a line without end': `PROXY UNKNOWN ${'x'.repeat(100)}`,
  'version 2 with another version': proxyV2({ versionAndCommand: 0x11 }),
  'version 2 with an unknown command': proxyV2({ versionAndCommand: 0x22 }),
  'version 2 of datagrams': proxyV2({ family: 0x12 }),
  'version 2 of an unknown family': proxyV2({ family: 0x41 }),
  'version 2 too short for its addresses': proxyV2({ family: 0x11, body: Buffer.alloc(11) }),
  'version 2 with too much': proxyV2({ body: Buffer.alloc(MAX_PROXY_HEADER_BYTES - 15) }).subarray(
    0,
    16,
  ),
};

for (const [name, bytes] of Object.entries(MALFORMED)) {
  test(`a header is refused: ${name}`, () => {
    assert.deepEqual(parseProxyHeader(Buffer.from(bytes)), { kind: 'malformed' });
  });
}

test('version 2 names the client by either kind of address', () => {
  const four = proxyV2({ body: Buffer.from([198, 51, 100, 7, 192, 0, 2, 1, 1, 2, 3, 4]) });
  assert.deepEqual(parseProxyHeader(four), {
    kind: 'whole',
    length: 28,
    client: { address: '198.51.100.7', isEncrypted: false },
  });
  const body = Buffer.alloc(36);
  Buffer.from('20010db8000000000000000000000007', 'hex').copy(body);
  const six = parseProxyHeader(proxyV2({ family: 0x21, body }));
  assert.ok(six.kind === 'whole');
  assert.equal(six.client?.address, '2001:db8::7');
});

test('version 2 of a proxy that speaks for itself names nobody, whatever else it says', () => {
  for (const fields of [{ versionAndCommand: 0x20 }, { family: 0 }]) {
    const header = parseProxyHeader(proxyV2({ ...fields, body: Buffer.alloc(50) }));
    assert.deepEqual(header, { kind: 'whole', length: 66, client: undefined });
  }
});

test('version 2 of a client on a unix socket has no address', () => {
  const header = parseProxyHeader(proxyV2({ family: 0x31, body: Buffer.alloc(216) }));
  assert.ok(header.kind === 'whole');
  assert.deepEqual(header.client, { address: undefined, isEncrypted: false });
});

test('version 2 may say that the client spoke TLS', () => {
  const words = (client: number) => Buffer.from([0x05, 0, 1, 9, 0x20, 0, 5, client, 0, 0, 0, 0]);
  const encrypted = (body: Buffer) => {
    const header = parseProxyHeader(proxyV2({ body: Buffer.concat([Buffer.alloc(12), body]) }));
    assert.ok(header.kind === 'whole');
    return header.client?.isEncrypted;
  };
  assert.equal(encrypted(words(1)), true);
  assert.equal(encrypted(words(0)), false);
  assert.equal(encrypted(words(1).subarray(0, 9)), false, 'a word that is not whole says nothing');
  assert.equal(encrypted(Buffer.from([0x20, 0, 0])), false);
});

test('until all of a header is there it is incomplete', () => {
  for (const whole of [Buffer.from('PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n'), proxyV2()]) {
    for (let length = 0; length < whole.length; length++) {
      assert.equal(parseProxyHeader(whole.subarray(0, length)).kind, 'incomplete', `${length}`);
    }
    assert.equal(parseProxyHeader(whole).kind, 'whole');
  }
});
