import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchingHeaders } from '../../src/live/matching-headers.ts';

const CSRF = 'x-csrf-token-*';

test('headers whose names fit are taken whole, in order of their names', () => {
  const headers = [
    'X-CSRF-Token-b',
    '2',
    'Accept',
    '*',
    'x-csrf-token-A',
    '1',
    'x-csrf-token-a',
    '',
  ];
  assert.deepEqual(matchingHeaders(CSRF, headers), [
    ['x-csrf-token-a', ['1', '']],
    ['x-csrf-token-b', ['2']],
  ]);
});

test('without such headers nothing is taken', () => {
  assert.deepEqual(matchingHeaders(CSRF, ['X-CSRF-Token', '1', 'Accept', '*']), []);
  assert.deepEqual(matchingHeaders(CSRF, []), []);
});

const NEVER = ['Cookie', 'Authorization', 'Host', 'Connection', 'Content-Type', 'Content-Length'];
for (const name of [...NEVER, 'Transfer-Encoding', 'If-None-Match', 'X-Forwarded-For', 'Range']) {
  test(`no pattern takes ${name}`, () => {
    const lower = name.toLowerCase();
    for (const pattern of [
      lower,
      `${lower}*`,
      `*${lower.slice(1)}`,
      `${lower.slice(0, -1)}*`,
      '***',
    ]) {
      assert.deepEqual(matchingHeaders(pattern, [name, 'x', lower, 'y']), []);
    }
  });
}

test('the order of names says nothing, the order of values of a name does', () => {
  const field = fc.tuple(
    fc.constantFrom('X-Tok-a', 'x-tok-A', 'x-tok-b', 'other'),
    fc.constantFrom('', '1', '2'),
  );
  fc.assert(
    fc.property(fc.array(field, { maxLength: 6 }), (fields) => {
      const stable = [...fields].sort(([a], [b]) =>
        a.toLowerCase() < b.toLowerCase() ? -1 : a.toLowerCase() > b.toLowerCase() ? 1 : 0,
      );
      assert.deepEqual(
        matchingHeaders('x-tok-*', fields.flat()),
        matchingHeaders('x-tok-*', stable.flat()),
      );
      const taken = matchingHeaders('x-tok-*', fields.flat()).flatMap(([, values]) => values);
      assert.equal(taken.length, fields.filter(([name]) => name !== 'other').length);
    }),
  );
});
