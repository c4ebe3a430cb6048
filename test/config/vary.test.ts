import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VaryItem } from '../../src/config/vary.ts';
import { isKeyable, parseVary } from '../../src/config/vary.ts';

const OWN = new Set(['connection', 'x-forwarded-for']);

const ENTRIES: readonly [entry: string, item: VaryItem][] = [
  ['cookie', { kind: 'cookies' }],
  ['Cookie', { kind: 'cookies' }],
  ['cookie:SESSION', { kind: 'cookie', name: 'SESSION' }],
  ['cookie:__Host-sid', { kind: 'cookie', name: '__Host-sid' }],
  ['authorization', { kind: 'header', name: 'authorization' }],
  ['X-Tenant', { kind: 'header', name: 'x-tenant' }],
  ['X-CSRF-Token-*', { kind: 'headers', pattern: 'x-csrf-token-*' }],
  ['*-csrf', { kind: 'headers', pattern: '*-csrf' }],
  ['x-*-y', { kind: 'headers', pattern: 'x-*-y' }],
  ['query:*', { kind: 'query', name: '*' }],
  ['query:q', { kind: 'query', name: 'q' }],
  ['query:a:b[]', { kind: 'query', name: 'a:b[]' }],
  ['query:name with blank', { kind: 'query', name: 'name with blank' }],
  ['ip', { kind: 'address' }],
  ['IP', { kind: 'address' }],
];
for (const [entry, item] of ENTRIES) {
  test(`"${entry}" is read as ${JSON.stringify(item)}`, () => {
    assert.deepEqual(parseVary(entry, OWN), item);
  });
}

const KNOWN = /^must be "cookie", "cookie:NAME", "authorization", a header name, "query:NAME" or/;
const REFUSED: readonly [entry: string, problem: RegExp][] = [
  ['', KNOWN],
  ['two words', KNOWN],
  ['cookie:', KNOWN],
  ['query:', KNOWN],
  ['header:x', KNOWN],
  ['ip:1', KNOWN],
  ['naïve', KNOWN],
  ['x-a\r\nx-b', KNOWN],
  ['cookie:a b', /^"a b" is not a cookie name$/],
  ['cookie:a=b', /^"a=b" is not a cookie name$/],
  ['cookie:a;b', /is not a cookie name$/],
  ['*', /^"\*" would make a poll for every client: name the headers/],
  ['**', /^"\*\*" would make a poll for every client/],
  ['x-*', /^"x-\*" needs at least 3 characters besides "\*"$/],
  ['*a*b*', /needs at least 3 characters/],
  ['x-csrf-?', KNOWN],
  ['content-*', /set by the proxy itself/],
  ['If-*', /set by the proxy itself/],
  ['body', /^the body of a POST poll is always part of the key, leave it out$/],
  ['Body', /^the body of a POST poll is always part of the key/],
  ['host', /^the Host is always part of the key, leave it out$/],
  ['Connection', /^"Connection" is set by the proxy itself/],
  ['x-forwarded-for', /set by the proxy itself/],
  ['If-None-Match', /set by the proxy itself/],
  ['content-type', /set by the proxy itself/],
  ['accept-encoding', /set by the proxy itself/],
  ['cache-control', /set by the proxy itself/],
  ['forwarded', /set by the proxy itself/],
];
for (const [entry, problem] of REFUSED) {
  test(`${JSON.stringify(entry)} is refused in "vary", saying why`, () => {
    const result = parseVary(entry, OWN);
    assert.match('problem' in result ? result.problem : 'no problem', problem);
  });
}

const TAKEN: readonly [header: string, rule: string, isTaken: boolean][] = [
  ['x-csrf-token-a1', 'a header of the page', true],
  ['x-forwarded-user', 'what a gateway in front says', true],
  ['content-type', 'the content of the poll', false],
  ['if-none-match', 'a condition', false],
  ['cache-control', 'how caches are used', false],
  ['x-real-ip', 'an address that nobody vouches for', false],
  ['forwarded', 'another such', false],
  ['connection', 'what the proxy sets', false],
  ['x-forwarded-for', 'another such', false],
  ['cookie', 'a credential: those are named', false],
  ['authorization', 'another such', false],
];
for (const [header, rule, isTaken] of TAKEN) {
  test(`a pattern of headers ${isTaken ? 'takes' : 'does not take'} ${header}, ${rule}`, () => {
    assert.equal(isKeyable(header, OWN), isTaken);
  });
}
