import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Operation } from 'rfc6902';
import { applyPatch } from 'rfc6902';
import { patchText } from '../../src/poll/diff.ts';

interface Row {
  readonly id: number;
  readonly state: string;
}

const row = (id: number, state = 'waiting for somebody'): Row => ({ id, state });
const rows = (count: number) => Array.from({ length: count }, (_, i) => row(i));

/** The operations between two lists, which are checked to lead from one to the other. */
function operations(before: unknown, after: unknown): Operation[] | undefined {
  const [from, to] = [JSON.stringify(before), JSON.stringify(after)];
  const text = patchText('json', Buffer.from(from), Buffer.from(to));
  if (text === undefined) return undefined;
  const patch = JSON.parse(text) as Operation[];
  const state: unknown = JSON.parse(from);
  assert.ok(applyPatch(state, patch).every((problem) => problem === null));
  assert.deepEqual(state, after);
  return patch;
}

const LIST = rows(20);
const CHANGES: [what: string, after: Row[], expected: Operation[]][] = [
  ['nothing', LIST, []],
  ['a new first row', [row(99), ...LIST], [{ op: 'add', path: '/0', value: row(99) }]],
  [
    'a new row in the middle',
    LIST.toSpliced(10, 0, row(99)),
    [{ op: 'add', path: '/10', value: row(99) }],
  ],
  ['a new last row', [...LIST, row(99)], [{ op: 'add', path: '/20', value: row(99) }]],
  [
    'two new rows',
    LIST.toSpliced(5, 0, row(98), row(99)),
    [
      { op: 'add', path: '/5', value: row(98) },
      { op: 'add', path: '/6', value: row(99) },
    ],
  ],
  ['no first row', LIST.slice(1), [{ op: 'remove', path: '/0' }]],
  [
    'two rows less in the middle',
    LIST.toSpliced(10, 2),
    [
      { op: 'remove', path: '/11' },
      { op: 'remove', path: '/10' },
    ],
  ],
  ['no last row', LIST.slice(0, -1), [{ op: 'remove', path: '/19' }]],
  [
    'rows that change in place',
    LIST.with(3, row(3, 'a')).with(17, row(17, 'b')),
    [
      { op: 'replace', path: '/3/state', value: 'a' },
      { op: 'replace', path: '/17/state', value: 'b' },
    ],
  ],
];
for (const [what, after, expected] of CHANGES) {
  test(`a list with ${what} is a patch of ${expected.length} operations`, () => {
    assert.deepEqual(operations(LIST, after), expected);
    const nested = (list: unknown) => ({ 'a/b': [0, { list }] });
    const below = expected.map((operation) => ({
      ...operation,
      path: `/a~1b/1/list${operation.path}`,
    }));
    assert.deepEqual(operations(nested(LIST), nested(after)), below);
  });
}

test('a list that shrinks and one that grows, in the same change', () => {
  const before = { down: rows(30), up: rows(10), same: rows(90) };
  const after = { down: rows(30).toSpliced(7, 20), up: rows(30), same: rows(90) };
  assert.equal(operations(before, after)?.length, 40);
  const moved = LIST.toSpliced(2, 1).toSpliced(15, 0, row(98), row(99));
  const padding = 'x'.repeat(2_000);
  assert.ok(operations({ padding, list: LIST }, { padding, list: moved }));
});

test('a list of lists changes row by row', () => {
  const before = [rows(10), rows(10), [[1, 2], 'x']];
  const after = [rows(10), rows(11), [[1, 2, 3], 'x']];
  assert.deepEqual(operations(before, after), [
    { op: 'add', path: '/1/10', value: row(10) },
    { op: 'add', path: '/2/0/2', value: 3 },
  ]);
});

test('any two lists of like rows are told apart exactly', () => {
  const item = fc.oneof(fc.nat(3), fc.constantFrom('a', null, [], {}, [1], { n: 1 }, { n: [2] }));
  const list = fc.array(item, { maxLength: 12 });
  fc.assert(
    fc.property(list, list, (before, after) => {
      const padding = 'x'.repeat(1_000);
      assert.ok(operations({ padding, v: before }, { padding, v: after }));
    }),
    { numRuns: 500 },
  );
});

test('one row more in a list of 10,000 is one operation', () => {
  const list = Array.from({ length: 10_000 }, (_, i) => ({ i }));
  for (const at of [0, 5_000, 10_000]) {
    const after = list.toSpliced(at, 0, { i: -1 });
    assert.deepEqual(operations(list, after), [{ op: 'add', path: `/${at}`, value: { i: -1 } }]);
  }
});

// What looks for the shortest way needs 25 million steps, and their memory, for these.
test('two lists of 5,000 rows that have nothing in common are compared in no time', () => {
  const list = (start: number) => Array.from({ length: 5_000 }, (_, i) => start + i);
  operations(list(0), list(100_000));
  operations(rows(5_000), list(0));
});

test('a list becomes something else, and the other way round', () => {
  const padding = 'x'.repeat(500);
  for (const [a, b] of [
    [[1], { 0: 1 }],
    [[], null],
    [[1, 2], 'text'],
    [[], {}],
  ]) {
    assert.equal(operations({ padding, a }, { padding, a: b })?.length, 1);
    assert.equal(operations({ padding, a: b }, { padding, a })?.length, 1);
  }
});
