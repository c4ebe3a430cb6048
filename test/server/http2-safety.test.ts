import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HTTP2_FLOORS, isHttp2Safe } from '../../src/server/http2-safety.ts';

const SAFE = [
  '22.23.4',
  '22.24.0',
  '24.22.1',
  '24.22.10',
  '24.23.0',
  '26.12.1',
  '27.0.0',
  '30.1.2',
];
const UNSAFE = [
  ...['18.20.8', '20.20.2', '20.99.0', '21.7.3', '22.23.3', '22.9.9', '23.99.0', '24.22.0'],
  ...['24.9.2', '25.9.0', '26.12.0', '26.0.0', '27.0.0-nightly', '24', '', 'v24.22.1', 'latest'],
];

test('HTTP/2 is spoken on versions of Node without known holes in it only', () => {
  for (const version of SAFE) assert.equal(isHttp2Safe(version), true, version);
  for (const version of UNSAFE) assert.equal(isHttp2Safe(version), false, version);
});

test('the versions that are recommended are safe', () => {
  for (const version of HTTP2_FLOORS.split(', ')) assert.equal(isHttp2Safe(version), true, version);
});
