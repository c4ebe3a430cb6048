import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTold } from '../../src/client/told.ts';
import { checkConfig } from '../../src/config/load.ts';
import { createLivePaths } from '../../src/live/endpoint.ts';
import { liveHeader } from '../../src/live/live-header.ts';
import { findWanted } from '../../src/live/wanted.ts';

/** What the proxy says of a request. */
function told(keys: object, target: string, body?: string) {
  const { live } = checkConfig(
    { site: 'http://127.0.0.1:3000', live: { '/**': { every: '1s', ...keys } } },
    'test',
  );
  const content = body === undefined ? undefined : { type: undefined, bytes: Buffer.from(body) };
  const method = content ? 'POST' : 'GET';
  const wanted = findWanted(createLivePaths(live)[0]?.endpoints ?? [], { method, target, content });
  assert.ok(wanted);
  return readTold(liveHeader(wanted, { stateId: 'e-1', ticket: 't1' }));
}

test('what the proxy writes the script reads', () => {
  assert.deepEqual(told({ ignoreQuery: ['_', 'a b', 't*', 'é'] }, '/a"b\\c?x="1"&_=7'), {
    address: '/a"b\\c?x="1"',
    id: 'e-1',
    ticket: 't1',
    rule: { query: ['_', 'a b', 't*', 'é'], body: [], isRpc: false },
  });
});

test('of a poll by POST the fields that do not count are told', () => {
  const keys = { method: 'POST', rpc: 'json-rpc', ignoreBody: ['/params/a~1b', '/tok en'] };
  assert.deepEqual(told(keys, '/rpc', '{"id":1}')?.rule, {
    query: ['_'],
    body: ['/params/a~1b', '/tok en'],
    isRpc: true,
  });
});

test('a pattern that could mean what the address keeps is not told', () => {
  const keys = { ignoreQuery: ['_', 't*'], vary: ['query:type'] };
  assert.deepEqual(told(keys, '/a?type=1&t=2')?.rule.query, ['_']);
});

test('what is none of ours says nothing', () => {
  for (const header of [null, '', 'x', '""', ';a="b"']) assert.equal(readTold(header), undefined);
});
