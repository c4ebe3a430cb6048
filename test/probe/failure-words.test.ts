import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureWords } from '../../src/probe/failure-words.ts';
import { ProxyError } from '../../src/shared/errors.ts';

const withCode = (code: string, message = 'failed') => Object.assign(new Error(message), { code });

const FAILURES: readonly [error: Error, code: 'unreachable' | 'no-answer', text: RegExp][] = [
  [withCode('ECONNREFUSED', ''), 'unreachable', /^it refuses connections: .* \(ECONNREFUSED\)$/],
  [withCode('ENOTFOUND'), 'unreachable', /^nobody knows its name \(ENOTFOUND\)$/],
  [withCode('EHOSTUNREACH'), 'unreachable', /^no network leads to it/],
  [withCode('UND_ERR_CONNECT_TIMEOUT'), 'unreachable', /^no connection in time/],
  [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'unreachable', /another name: "tls\.serverName"/],
  [withCode('CERT_HAS_EXPIRED'), 'unreachable', /certificate is not valid now/],
  [withCode('DEPTH_ZERO_SELF_SIGNED_CERT'), 'unreachable', /"tls\.ca" names the authority/],
  [withCode('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'unreachable', /"tls\.ca" names the authority/],
  [withCode('EPROTO'), 'unreachable', /is it http:\/\/ after all\? \(EPROTO\)$/],
  [withCode('EMFILE', 'too many files'), 'unreachable', /^too many files \(EMFILE\)$/],
  [withCode('ECONNRESET'), 'no-answer', /^it ended the connection in the middle$/],
  [
    withCode('HPE_INVALID_HEADER_TOKEN', 'Parse Error'),
    'no-answer',
    /"lenient": true may read it$/,
  ],
  [
    new ProxyError('UPSTREAM_TIMEOUT', 'no whole answer within 5 ms'),
    'no-answer',
    /^no whole answer within 5 ms$/,
  ],
  [new ProxyError('UPSTREAM_TOO_LARGE', 'larger than 5 bytes'), 'no-answer', / \("maxBody"\)$/],
];
for (const [error, code, text] of FAILURES) {
  const name = 'code' in error ? String(error.code) : error.message;
  test(`${name} is told in words, with what may help`, () => {
    const words = failureWords(error);
    assert.equal(words.code, code);
    assert.match(words.text, text);
  });
}

test('an error that a failed poll has as its cause is found there', () => {
  const cause = withCode('ECONNREFUSED');
  const error = new ProxyError('UPSTREAM_UNREACHABLE', 'failed (ECONNREFUSED)', { cause });
  assert.match(failureWords(error).text, /^it refuses connections/);
});
