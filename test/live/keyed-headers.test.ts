import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VaryItem } from '../../src/config/vary.ts';
import { isKeyed } from '../../src/live/keyed-headers.ts';
import { unkeyedVary } from '../../src/poll/personal.ts';

const COOKIES: VaryItem = { kind: 'cookies' };

test('a state is for others only when the poll carried all that it varies on', () => {
  const sid: VaryItem = { kind: 'cookie', name: 'sid' };
  const language: VaryItem = { kind: 'header', name: 'accept-language' };
  const table: [vary: string | undefined, items: VaryItem[], expected: string | undefined][] = [
    [undefined, [], undefined],
    ['', [], undefined],
    ['Accept-Encoding, Origin', [], undefined],
    ['Host, X-Forwarded-Proto, X-Forwarded-Host', [], undefined],
    ['Cookie', [], 'cookie'],
    ['COOKIE', [COOKIES], undefined],
    ['Cookie', [sid], undefined],
    ['Accept-Language', [COOKIES], 'accept-language'],
    ['Accept-Encoding,accept-language', [language], undefined],
    ['Accept, Prefer', [COOKIES, language], 'accept'],
    ['User-Agent', [], 'user-agent'],
    ['*', [COOKIES], '*'],
    ['Accept-Encoding, *', [], '*'],
    ['cookie', [{ kind: 'query', name: 'cookie' }], 'cookie'],
  ];
  for (const [vary, items, expected] of table) {
    const headers = new Map(vary === undefined ? [] : [['vary', vary]]);
    const [unkeyed] = unkeyedVary({ headers }, { isKeyed: (name) => isKeyed(name, items) });
    assert.equal(unkeyed, expected, `${vary} with ${JSON.stringify(items)}`);
  }
});
