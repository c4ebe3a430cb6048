import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyPatch } from 'rfc6902';
import type { PatchFormat } from '../../src/poll/diff.ts';
import { patchText } from '../../src/poll/diff.ts';
import { mergePatch } from './merge-patch.ts';

const FORMATS = ['json', 'merge'] as const;

const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
/** The patch between two documents, given as values or, to have them exactly, as texts. */
const diff = (format: PatchFormat, before: unknown, after: unknown) =>
  patchText(format, Buffer.from(text(before)), Buffer.from(text(after)));

/** What a client has after it applied a patch to its own copy. */
function applied(format: PatchFormat, before: unknown, patch: string): unknown {
  const copy: unknown = JSON.parse(text(before));
  if (format === 'merge') return mergePatch(copy, JSON.parse(patch));
  const holder = { root: copy };
  const operations = (JSON.parse(patch) as { op: 'add' | 'replace'; path: string }[]).map(
    (operation) => ({ ...operation, path: `/root${operation.path}`, value: valueIn(operation) }),
  );
  const problems = applyPatch(holder, operations);
  assert.deepEqual(
    problems.filter((problem) => problem !== null),
    [],
  );
  return holder.root;
}

const valueIn = (operation: object) => ('value' in operation ? operation.value : undefined);

/** The patch if there is one: it is exact, and smaller than the document that it leads to. */
function checked(format: PatchFormat, before: unknown, after: unknown): string | undefined {
  const patch = diff(format, before, after);
  if (patch === undefined) return undefined;
  assert.ok(Buffer.byteLength(patch) < Buffer.byteLength(text(after)));
  assert.deepEqual(applied(format, before, patch), JSON.parse(text(after)));
  return patch;
}

/** Room for a patch: it is never larger than a document with this in it. */
const padding = 'x'.repeat(2_000);
const names = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '', '/', '~', '~1', 'a/b', '0', '-', 'é', '"', '\\', '\n'),
  fc.constantFrom('toString', 'hasOwnProperty', 'valueOf', 'length', '__defineGetter__', 'then'),
);
const documents = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom(0, 1, -2.5, true, false, null, '', 'x', 'é\u2028', [], {}),
    fc.array(tie('node'), { maxLength: 5 }),
    fc.dictionary(names, tie('node'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).node;

for (const format of FORMATS) {
  test(`between any two JSON values a ${format} patch, if there is one, is exact and smaller`, () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (before, after) => {
        checked(format, before, after);
        checked(format, { before, padding }, { before: after, padding });
        checked(format, [padding, before], [padding, after]);
      }),
      { numRuns: 300 },
    );
  });

  test(`between documents of like shapes a ${format} patch is exact and smaller`, () => {
    let given = 0;
    fc.assert(
      fc.property(documents, documents, (before, after) => {
        if (checked(format, { padding, v: before }, { padding, v: after }) !== undefined) given++;
      }),
      { numRuns: 1_000, seed: 7 },
    );
    assert.ok(given > 200, `a patch was there to check ${given} times`);
  });

  test(`no ${format} patch is as large as the document`, () => {
    assert.equal(diff(format, '{"a":1}', '{"a":2}'), undefined);
    assert.equal(diff(format, { a: 'x'.repeat(99) }, { a: 'y'.repeat(99) }), undefined);
    assert.equal(diff(format, '[1]', '2'), undefined);
  });
}

test('sizes are counted in bytes, not in letters', () => {
  const after = { a: 'é'.repeat(100), b: 1 };
  assert.equal(diff('json', { a: '', b: 1 }, after), undefined);
  assert.ok(checked('json', { ...after, b: 2 }, after));
});

test('a patch says the difference and nothing else', () => {
  const before = { padding, a: 1, gone: 2, same: [1] };
  const after = { padding, a: 5, same: [1], 'new/~': null };
  assert.deepEqual(JSON.parse(checked('json', before, after) ?? ''), [
    { op: 'remove', path: '/gone' },
    { op: 'add', path: '/new~1~0', value: null },
    { op: 'replace', path: '/a', value: 5 },
  ]);
  const { 'new/~': _, ...merged } = after;
  assert.equal(checked('merge', before, merged), '{"gone":null,"a":5}');
});

test('in another order of keys, or spaced otherwise, a document is the same', () => {
  const [before, after] = ['{"a":1,"b":{"c":2,"d":3}}', '{ "b": {"d":3, "c":2}, "a": 1 }'];
  assert.equal(checked('json', before, after), '[]');
  assert.deepEqual(applied('merge', before, checked('merge', before, after) ?? ''), {
    a: 1,
    b: { c: 2, d: 3 },
  });
});
