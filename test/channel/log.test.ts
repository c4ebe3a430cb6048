import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventLog } from '../../src/channel/log.ts';
import { snapshot } from '../protocol/events.ts';

/** A log of events `e1`, `e2`, … with so many bytes each. */
function logOf(limits: { maxEvents: number; maxBytes: number }, ...sizes: number[]): EventLog {
  const log = new EventLog(limits);
  for (const [i, size] of sizes.entries()) log.append(snapshot(`e${i + 1}`, 'x'.repeat(size)));
  return log;
}

const idsAfter = (log: EventLog, cursor: string) => log.after(cursor)?.map(({ id }) => id);

const ROOMY = { maxEvents: 100, maxBytes: 1_000 };

test('a cursor that is known gets what came after it, oldest first', () => {
  const log = logOf(ROOMY, 1, 1, 1);
  assert.deepEqual(idsAfter(log, 'e1'), ['e2', 'e3']);
  assert.deepEqual(idsAfter(log, 'e2'), ['e3']);
});

test('the newest cursor gets nothing, which is not the same as being unknown', () => {
  const log = logOf(ROOMY, 1, 1);
  assert.deepEqual(idsAfter(log, 'e2'), []);
  assert.equal(log.after('e3'), undefined);
  assert.equal(new EventLog(ROOMY).after('e1'), undefined);
});

test('a log holds no more events than it may', () => {
  const log = logOf({ ...ROOMY, maxEvents: 2 }, 1, 1, 1, 1);
  assert.equal(log.bytes, 2);
  assert.equal(log.after('e1'), undefined);
});

test('a cursor just before the oldest event can still be served whole', () => {
  const log = logOf({ ...ROOMY, maxEvents: 2 }, 1, 1, 1, 1);
  assert.deepEqual(idsAfter(log, 'e2'), ['e3', 'e4']);
});

test('a log holds no more bytes than it may', () => {
  const log = logOf({ ...ROOMY, maxBytes: 10 }, 4, 4, 4);
  assert.equal(log.bytes, 8);
  assert.deepEqual(idsAfter(log, 'e1'), ['e2', 'e3']);
});

test('an event that is larger than the whole log is not held, but known', () => {
  const log = logOf({ ...ROOMY, maxBytes: 10 }, 4, 11);
  assert.equal(log.bytes, 0);
  assert.equal(log.after('e1'), undefined);
  assert.deepEqual(idsAfter(log, 'e2'), []);
});

test('a log of no events knows the newest cursor only', () => {
  const log = logOf({ maxEvents: 0, maxBytes: 10 }, 1, 1);
  assert.equal(log.after('e1'), undefined);
  assert.deepEqual(idsAfter(log, 'e2'), []);
});

test('after clear nothing is known', () => {
  const log = logOf({ ...ROOMY, maxEvents: 1 }, 1, 1);
  log.clear();
  assert.equal(log.bytes, 0);
  for (const cursor of ['e1', 'e2']) assert.equal(log.after(cursor), undefined);
});

test('whatever a log gives after a cursor is all that came after it', () => {
  const sizes = fc.array(fc.nat(20), { maxLength: 30 });
  const limits = fc.record({ maxEvents: fc.nat(10), maxBytes: fc.nat(60) });
  fc.assert(
    fc.property(limits, sizes, (bounds, given) => {
      const log = logOf(bounds, ...given);
      assert.ok(log.bytes <= bounds.maxBytes);
      const ids = given.map((_, i) => `e${i + 1}`);
      for (const [i, id] of ids.entries()) {
        const after = idsAfter(log, id);
        if (after) assert.deepEqual(after, ids.slice(i + 1));
      }
      const newest = ids.at(-1);
      if (newest) assert.deepEqual(idsAfter(log, newest), []);
    }),
  );
});
