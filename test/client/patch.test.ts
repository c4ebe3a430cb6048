import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { patched } from '../../src/client/patch.ts';
import type { PatchFormat } from '../../src/poll/diff.ts';
import { patchText } from '../../src/poll/diff.ts';

const TYPES = { json: 'application/json-patch+json', merge: 'application/merge-patch+json' };

/** Documents with something in them that does not change, so that a patch is the smaller one. */
const documents = fc
  .json({ maxDepth: 4 })
  .map((text) => ({ filler: 'x'.repeat(300), it: JSON.parse(text) }));

for (const format of ['json', 'merge'] satisfies PatchFormat[]) {
  test(`${format}: what the proxy makes leads from one state to the next`, () => {
    let patches = 0;
    fc.assert(
      fc.property(documents, documents, (before, after) => {
        const [from, to] = [before, after].map((each) => JSON.stringify(each)) as [string, string];
        const text = patchText(format, Buffer.from(from), Buffer.from(to));
        if (text === undefined) return;
        patches += 1;
        assert.deepEqual(
          patched(JSON.parse(from), JSON.parse(text), TYPES[format]),
          JSON.parse(to),
        );
      }),
    );
    assert.ok(patches > 10);
  });
}

const STEPS: readonly (readonly [
  name: string,
  patch: object[],
  before: unknown,
  after: unknown,
])[] = [
  ['the whole', [{ op: 'replace', path: '', value: [1] }], { a: 1 }, [1]],
  ['a name with / and ~', [{ op: 'remove', path: '/a~1b~0' }], { 'a/b~': 1, c: 2 }, { c: 2 }],
  ['the empty name', [{ op: 'add', path: '/', value: 1 }], {}, { '': 1 }],
  ['the end of an array', [{ op: 'add', path: '/-', value: 2 }], [1], [1, 2]],
  ['between two items', [{ op: 'add', path: '/1', value: 2 }], [1, 3], [1, 2, 3]],
  ['an item', [{ op: 'remove', path: '/0' }], [1, 2], [2]],
  ['an item that is null', [{ op: 'replace', path: '/0', value: 1 }], [null], [1]],
];

for (const [name, patch, before, after] of STEPS) {
  test(`a JSON patch changes ${name}`, () => {
    assert.deepEqual(patched(before, patch, undefined), after);
  });
}

const REFUSED: readonly (readonly [why: string, step: object])[] = [
  ['there is no such member', { op: 'replace', path: '/b', value: 1 }],
  ['there is nothing to remove', { op: 'remove', path: '/b' }],
  ['there is no way there', { op: 'add', path: '/b/c', value: 1 }],
  ['a number has no members', { op: 'add', path: '/a/c', value: 1 }],
  ['an array has no such place', { op: 'add', path: '/l/3', value: 1 }],
  ['an array has no names', { op: 'add', path: '/l/length', value: 0 }],
  ['the prototype is no member', { op: 'add', path: '/__proto__/x', value: 1 }],
  ['nor can it be one', { op: 'add', path: '/__proto__', value: { x: 1 } }],
  ['nothing inherited is one', { op: 'add', path: '/constructor/prototype/x', value: 1 }],
  ['the proxy makes no such step', { op: 'move', path: '/b', from: '/a' }],
];

for (const [why, step] of REFUSED) {
  test(`a JSON patch is refused: ${why}`, () => {
    assert.throws(() => patched({ a: 1, l: [1, 2] }, [step], TYPES.json));
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });
}

test('a merge patch cannot change a prototype', () => {
  const patch = JSON.parse('{"a":{"__proto__":{"x":1}}}');
  assert.throws(() => patched({ a: {} }, patch, TYPES.merge));
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});

test('a merge patch that is an array is told by its type', () => {
  assert.deepEqual(patched({ a: 1 }, [1], TYPES.merge), [1]);
});
