import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { TRANSPORT_NAMES } from '../src/protocol/surface.ts';
import { errorTable } from '../src/shared/errors.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

test('the protocol documents every code with its status', () => {
  const rows = read('docs/protocol.md').split('\n');
  for (const { code, status } of errorTable()) {
    const documented = rows.some(
      (row) => new RegExp(`^\\|\\s*${status}\\s*\\|`).test(row) && row.includes(`\`${code}\``),
    );
    assert.ok(documented, `${code} with status ${status} is missing in docs/protocol.md §10`);
  }
});

test('the protocol documents every transport', () => {
  for (const name of TRANSPORT_NAMES)
    assert.match(read('docs/protocol.md'), new RegExp(`^\\|\\s*\`${name}\`\\s*\\|`, 'm'));
});

test('README stays under 250 lines and links only to files that exist', () => {
  const text = read('README.md');
  assert.ok(text.split('\n').length < 250);
  for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) read(target);
});
