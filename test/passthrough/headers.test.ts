import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestHeaders, responseHeaders } from '../../src/passthrough/headers.ts';
import type { Downstream } from '../../src/shared/downstream.ts';

const STRANGER: Downstream = {
  address: '192.0.2.7',
  peer: '192.0.2.7',
  scheme: 'http',
  authority: 'shop.example',
  host: 'shop.example',
  trusted: false,
};
const BALANCER: Downstream = {
  address: '198.51.100.1',
  peer: '10.0.0.5',
  scheme: 'https',
  authority: 'shop.example',
  host: 'shop.example',
  trusted: true,
};
const HOST = ['Host', 'shop.example'];
const OF_STRANGER = [
  ...['X-Forwarded-For', '192.0.2.7'],
  ...['X-Forwarded-Proto', 'http'],
  ...['X-Forwarded-Host', 'shop.example'],
];

const FROM_STRANGERS: Record<string, readonly [sent: string[], passed: string[]]> = {
  'nothing but a host': [['Host', 'shop.example'], []],
  'ordinary headers': [
    ['B', '1', 'a', '2', 'b', '3'],
    ['B', '1', 'a', '2', 'b', '3'],
  ],
  'a target in absolute form: the host of the target': [['Host', 'other.example'], []],
  'the fixed list': [
    [
      'Keep-Alive',
      'x',
      'TE',
      'x',
      'Trailer',
      'x',
      'Upgrade',
      'h2c',
      'Transfer-Encoding',
      'chunked',
    ],
    [],
  ],
  'listed names, in any case, in several lines': [
    ['Connection', 'X-One', 'connection', 'close , X-TWO', 'x-one', '1', 'X-Two', '2', 'X-3', '3'],
    ['X-3', '3'],
  ],
  'names that may not be listed': [
    ['Connection', 'cookie, Content-Type, authorization', 'Cookie', 'a', 'Content-Type', 'b'],
    ['Cookie', 'a', 'Content-Type', 'b'],
  ],
  'invented identities': [
    ['X-Forwarded-For', '1.1.1.1', 'x-forwarded-port', '1', 'Forwarded', 'for=1', 'X-Real-IP', '1'],
    [],
  ],
  underscores: [
    ['X_A', '1', 'a_', '2', '_', '3', 'X-A', '4'],
    ['X-A', '4'],
  ],
  'an expectation': [
    ['Expect', '100-continue', 'X', '1'],
    ['X', '1'],
  ],
  'an empty Connection': [
    ['Connection', '', 'X', '1'],
    ['X', '1'],
  ],
};

for (const [name, [sent, passed]] of Object.entries(FROM_STRANGERS)) {
  test(`request headers of strangers: ${name}`, () => {
    const headers = requestHeaders(sent, {
      downstream: STRANGER,
      upstreamHost: undefined,
      via: undefined,
    });
    assert.deepEqual(headers, [...HOST, ...passed, ...OF_STRANGER]);
  });
}

const FROM_TRUSTED: Record<string, readonly [sent: string[], passed: string[]]> = {
  'nothing sent, all set': [
    [],
    [
      'X-Forwarded-For',
      '10.0.0.5',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      HOST[1] ?? '',
    ],
  ],
  'the list grows by the peer': [
    ['X-Forwarded-For', '198.51.100.1', 'x-forwarded-for', '10.0.0.9'],
    [
      ...['X-Forwarded-For', '198.51.100.1, 10.0.0.9, 10.0.0.5'],
      ...['X-Forwarded-Proto', 'https', 'X-Forwarded-Host', 'shop.example'],
    ],
  ],
  'scheme once, what else it says is kept': [
    [
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'www',
      'X-Forwarded-Port',
      '443',
      'Forwarded',
      'for=a',
      'X-Real-IP',
      'b',
    ],
    [
      ...[
        'X-Forwarded-Host',
        'www',
        'X-Forwarded-Port',
        '443',
        'Forwarded',
        'for=a',
        'X-Real-IP',
        'b',
      ],
      ...['X-Forwarded-For', '10.0.0.5', 'X-Forwarded-Proto', 'https'],
    ],
  ],
};

for (const [name, [sent, passed]] of Object.entries(FROM_TRUSTED)) {
  test(`request headers of trusted proxies: ${name}`, () => {
    const headers = requestHeaders(sent, {
      downstream: BALANCER,
      upstreamHost: undefined,
      via: undefined,
    });
    assert.deepEqual(headers, [...HOST, ...passed]);
  });
}

test('the host of the site replaces that of the client when it is asked to', () => {
  const headers = requestHeaders(['Host', 'shop.example'], {
    downstream: STRANGER,
    upstreamHost: 'legacy:3000',
    via: undefined,
  });
  assert.deepEqual(headers, ['Host', 'legacy:3000', ...OF_STRANGER]);
});

const ANSWERS: Record<string, readonly [sent: string[], passed: string[]]> = {
  'ordinary headers': [
    ['Set-Cookie', 'a', 'x', '1', 'set-cookie', 'b'],
    ['Set-Cookie', 'a', 'x', '1', 'set-cookie', 'b'],
  ],
  'the fixed list': [
    [
      'Connection',
      'close',
      'Keep-Alive',
      'x',
      'Transfer-Encoding',
      'chunked',
      'Upgrade',
      'h2',
      'X',
      '1',
    ],
    ['X', '1'],
  ],
  'listed names': [
    ['Connection', 'X-One', 'X-One', '1', 'X-2', '2'],
    ['X-2', '2'],
  ],
  'names that may not be listed': [
    ['Connection', 'set-cookie, content-length', 'Set-Cookie', 'a', 'Content-Length', '2'],
    ['Set-Cookie', 'a', 'Content-Length', '2'],
  ],
  'underscores stay': [
    ['X_A', '1'],
    ['X_A', '1'],
  ],
};

for (const [name, [sent, passed]] of Object.entries(ANSWERS)) {
  test(`answer headers: ${name}`, () => {
    assert.deepEqual(responseHeaders(sent), passed);
  });
}
