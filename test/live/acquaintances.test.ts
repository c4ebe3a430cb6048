import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Acquaintances, loadsPage } from '../../src/live/acquaintances.ts';

test('a client is known from its first answer on, for that channel, until it loads a page', () => {
  const acquaintances = new Acquaintances();
  assert.ok(!acquaintances.has('anna', 'a'));
  acquaintances.add('anna', 'a');
  assert.ok(acquaintances.has('anna', 'a'));
  assert.ok(!acquaintances.has('anna', 'b'));
  assert.ok(!acquaintances.has('ben', 'a'));
  acquaintances.add('anna', 'b');
  acquaintances.forget('anna');
  assert.ok(!acquaintances.has('anna', 'a') && !acquaintances.has('anna', 'b'));
});

test('a client of very many channels does not fill the memory', () => {
  const acquaintances = new Acquaintances();
  for (let i = 0; i < 1_000; i++) acquaintances.add('anna', String(i));
  const known = Array.from({ length: 1_000 }, (_, i) => acquaintances.has('anna', String(i)));
  assert.ok(known.filter(Boolean).length <= 100);
  assert.ok(acquaintances.has('anna', '999'));
});

test('a page is loaded by a navigation, or by what can show HTML where browsers do not say', () => {
  const table: [headers: string[], expected: boolean][] = [
    [['Sec-Fetch-Mode', 'navigate', 'Accept', '*/*'], true],
    [['Sec-Fetch-Mode', 'cors', 'Accept', 'text/html'], false],
    [['Accept', 'text/html,application/xhtml+xml'], true],
    [['Accept', 'application/json'], false],
    [[], false],
  ];
  for (const [headers, expected] of table) assert.equal(loadsPage(headers), expected);
});
