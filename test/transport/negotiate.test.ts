import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { acceptsGzip, preferredWaitMs } from '../../src/transport/negotiate.ts';

/** A request with these headers. */
function request(version: string, ...rawHeaders: string[]): IncomingMessage {
  return Object.assign(new IncomingMessage(new Socket()), { httpVersion: version, rawHeaders });
}

const GZIP: [accept: string, expected: boolean][] = [
  ['gzip', true],
  ['GZip', true],
  ['gzip, deflate, br, zstd', true],
  ['br,gzip', true],
  ['gzip;q=0.1', true],
  ['gzip;q=1', true],
  ['gzip ; q=0.001', true],
  ['deflate, gzip;q=1.0, *;q=0.5', true],
  ['', false],
  ['br', false],
  ['identity', false],
  ['*', false],
  ['x-gzip', false],
  ['gzipped', false],
  ['gzip;q=0', false],
  ['gzip; q=0.0', false],
  ['gzip;Q=0.000', false],
  ['gzip;q=0, *', false],
];
for (const [accept, expected] of GZIP) {
  test(`"Accept-Encoding: ${accept}" ${expected ? 'takes' : 'does not take'} gzip`, () => {
    assert.equal(acceptsGzip(request('1.1', 'Accept-Encoding', accept)), expected);
  });
}

test('gzip may be named by any of several header lines', () => {
  const lines = ['Accept-Encoding', 'br', 'accept-encoding', 'gzip'];
  assert.equal(acceptsGzip(request('1.1', ...lines)), true);
});

test('who says nothing gets no gzip', () => assert.equal(acceptsGzip(request('1.1')), false));

test('over HTTP/1.0, and behind a proxy that announces itself, there is no gzip', () => {
  assert.equal(acceptsGzip(request('1.0', 'Accept-Encoding', 'gzip')), false);
  for (const via of ['1.1 squid', '']) {
    assert.equal(acceptsGzip(request('1.1', 'Accept-Encoding', 'gzip', 'Via', via)), false);
  }
});

const WAIT: [prefer: string, expected: number | undefined][] = [
  ['wait=10', 10_000],
  ['wait=0', 0],
  ['wait=999999', 999_999_000],
  ['Wait=5', 5_000],
  ['wait="7"', 7_000],
  ['wait = 8', 8_000],
  ['respond-async, wait=9', 9_000],
  ['wait=3; strict', 3_000],
  ['wait=1, wait=2', 1_000],
  ['', undefined],
  ['respond-async', undefined],
  ['wait', undefined],
  ['wait=', undefined],
  ['wait=-1', undefined],
  ['wait=1.5', undefined],
  ['wait=soon', undefined],
  ['wait=1e3', undefined],
  ['wait=12345678901234567890', undefined],
  ['await=5', undefined],
  ['return=minimal; wait=5', undefined],
];
for (const [prefer, expected] of WAIT) {
  test(`"Prefer: ${prefer}" is ready to wait ${expected ?? 'no'} milliseconds`, () => {
    assert.equal(preferredWaitMs(['Prefer', prefer]), expected);
  });
}

test('a preference may stand in any of several header lines', () => {
  assert.equal(preferredWaitMs(['Prefer', 'respond-async', 'prefer', 'wait=4']), 4_000);
  assert.equal(preferredWaitMs([]), undefined);
});
