import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Part } from '../../src/config/part.ts';
import { fingerprint } from '../../src/poll/fingerprint.ts';
import { assertChange, assertSame } from './comparisons.ts';
import type { JsonTree, Way } from './json-tree.ts';
import { jsonTrees, leavesOf, shuffled, textOf, withChange } from './json-tree.ts';

const JSON_TYPE = 'application/json';

/** A document and the way to one of its scalars. */
const placed = fc
  .tuple(jsonTrees, fc.nat())
  .map(([tree, at]) => ({ tree, way: oneOf(leavesOf(tree), at) }));

function oneOf(ways: readonly Way[], at: number): Way | undefined {
  return ways[at % Math.max(1, ways.length)];
}

/** A part by its exact way: names are no globs here unless they hold stars. */
function partAt(way: Way): Part {
  return { kind: 'path', source: '', segments: way.map(String) };
}

/** Another scalar, of the same kind where that is possible. */
function another(value: JsonTree): JsonTree {
  const { token } = value as { token: string };
  if (token === 'true') return { token: 'false' };
  if (/^[fn]/.test(token)) return { token: 'true' };
  if (token.startsWith('"')) return { token: JSON.stringify(`${JSON.parse(token)}!`) };
  const [, sign = '', mantissa = '', power = ''] = /^(-?)([\d.]+)(.*)$/.exec(token) ?? [];
  // One more in the last place: the nearest number that can be written like this.
  const point = mantissa.indexOf('.');
  const next = String(BigInt(mantissa.replace('.', '')) + 1n);
  if (point === -1) return { token: sign + next + power };
  const decimals = mantissa.length - point - 1;
  const padded = next.padStart(decimals + 1, '0');
  return { token: `${sign}${padded.slice(0, -decimals)}.${padded.slice(-decimals)}${power}` };
}

test('members in another order are never a change', () => {
  fc.assert(
    fc.property(jsonTrees, fc.array(fc.double({ noNaN: true })), (tree, numbers) => {
      let at = 0;
      const other = shuffled(tree, () => numbers[at++ % numbers.length] ?? -at);
      assertSame(JSON_TYPE, {}, [textOf(tree), textOf(other)]);
    }),
    { numRuns: 2_000 },
  );
});

test('another value in any place is always a change, however many digits it has', () => {
  fc.assert(
    fc.property(placed, ({ tree, way }) => {
      if (!way) return;
      const other = withChange(tree, way, another);
      assertChange(JSON_TYPE, {}, [textOf(tree), textOf(other)]);
      assertChange(JSON_TYPE, { ignore: '/no such member', compare: 'bytes' }, [
        textOf(tree),
        textOf(other),
      ]);
    }),
    { numRuns: 3_000 },
  );
});

test('another value in an ignored place is never a change, in any other place it is', () => {
  fc.assert(
    fc.property(placed, fc.nat(), ({ tree, way }, at) => {
      if (!way || way.length === 0) return;
      const by = { select: [], ignore: [partAt(way)], compare: 'value' } as const;
      const print = (some: JsonTree) => fingerprint(Buffer.from(textOf(some)), JSON_TYPE, by);
      assert.equal(print(tree), print(withChange(tree, way, another)));
      const others = leavesOf(tree).filter((other) => !isCovered(other, way));
      const other = oneOf(others, at);
      if (other) assert.notEqual(print(tree), print(withChange(tree, other, another)));
    }),
    { numRuns: 3_000 },
  );
});

test('another value in a selected place is always a change, in any other place it is none', () => {
  fc.assert(
    fc.property(placed, fc.nat(), ({ tree, way }, at) => {
      if (!way || way.length === 0) return;
      const by = { select: [partAt(way)], ignore: [], compare: 'value' } as const;
      const print = (some: JsonTree) => fingerprint(Buffer.from(textOf(some)), JSON_TYPE, by);
      assert.notEqual(print(tree), print(withChange(tree, way, another)));
      const others = leavesOf(tree).filter((other) => !isCovered(other, way));
      const other = oneOf(others, at);
      if (other) assert.equal(print(tree), print(withChange(tree, other, another)));
    }),
    { numRuns: 3_000 },
  );
});

/** Does the path of one way lead along another, too? Names may hold stars. */
function isCovered(way: Way, path: Way): boolean {
  const isGlob = path.some((step) => /[*?]/.test(String(step)));
  return isGlob || path.every((step, index) => String(way[index]) === String(step));
}

test('whitespace between tokens is never a change', () => {
  fc.assert(
    fc.property(jsonTrees, (tree) => {
      const text = textOf(tree);
      // Where no number is rounded, any other writer of JSON says the same.
      const rewritten = JSON.stringify(JSON.parse(text), null, 2);
      const isExact = JSON.stringify(JSON.parse(text)) === text;
      if (isExact) assertSame(JSON_TYPE, {}, [text, rewritten]);
      assertSame(JSON_TYPE, {}, [text, ` \t\r\n${text}\n`]);
    }),
    { numRuns: 1_000 },
  );
});
