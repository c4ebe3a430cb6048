import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errors } from 'undici';
import { upstreamError } from '../../src/shared/upstream.ts';

const withCode = (code: string) => Object.assign(new Error('failed'), { code });

const MEANINGS: [error: Error, code: string][] = [
  [new errors.ConnectTimeoutError(), 'UPSTREAM_TIMEOUT'],
  [new errors.HeadersTimeoutError(), 'UPSTREAM_TIMEOUT'],
  [new errors.BodyTimeoutError(), 'UPSTREAM_TIMEOUT'],
  [withCode('ETIMEDOUT'), 'UPSTREAM_TIMEOUT'],
  [withCode('ECONNREFUSED'), 'UPSTREAM_UNREACHABLE'],
  [withCode('ENOTFOUND'), 'UPSTREAM_UNREACHABLE'],
  [withCode('ERR_TLS_CERT_ALTNAME_INVALID'), 'UPSTREAM_UNREACHABLE'],
  [withCode('ECONNRESET'), 'UPSTREAM_RESET'],
  [new errors.SocketError('other side closed'), 'UPSTREAM_RESET'],
  [new errors.SocketError('bad response'), 'UPSTREAM_INVALID'],
  [withCode('HPE_INVALID_CONSTANT'), 'UPSTREAM_INVALID'],
];

for (const [error, code] of MEANINGS) {
  const name = `${(error as { code?: string }).code}: ${error.message}`;
  test(`${name} is told as ${code}, and kept as the cause`, () => {
    const told = upstreamError(error);
    assert.equal(told.code, code);
    assert.equal(told.cause, error);
  });
}
