import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventId, parseCursor, readCursor, staleId } from '../../src/protocol/cursor.ts';

test('a cursor is one to 128 letters, digits, dots, dashes, underscores or tildes', () => {
  for (const good of ['a', 'lx3k-1', 'A-Z_a.z~0', '-', 'x'.repeat(128)]) {
    assert.equal(parseCursor(good), good);
  }
});

test('anything else is the same as no cursor', () => {
  const wrong = ['', ' ', 'a b', 'a\nb', 'a:b', 'a/b', 'é', '"a"', 'a\0', 'a\n', 'x'.repeat(129)];
  for (const text of [undefined, ...wrong]) assert.equal(parseCursor(text), undefined);
});

test('every event id is a valid cursor, needs no escape in a URL and tells its parts apart', () => {
  const epoch = fc.stringMatching(/^[0-9a-z]{1,32}$/);
  const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(epoch, seq, epoch, seq, (epoch1, seq1, epoch2, seq2) => {
      const id = eventId(epoch1, seq1);
      assert.equal(parseCursor(id), id);
      assert.equal(encodeURIComponent(id), id);
      const isSame = epoch1 === epoch2 && seq1 === seq2;
      assert.equal(id === eventId(epoch2, seq2), isSame);
    }),
  );
});

test('the id of a failure is a valid cursor, and tells the state and the failure', () => {
  assert.equal(staleId(undefined), '~stale');
  assert.equal(staleId('a-1'), 'a-1~stale');
  assert.deepEqual(readCursor('~stale'), { id: '', isStale: true });
  assert.deepEqual(readCursor('a-1~stale'), { id: 'a-1', isStale: true });
  for (const id of ['a-1', 'stale', '~stalE', 'a~stale-1', '~stale~']) {
    assert.deepEqual(readCursor(id), { id, isStale: false });
  }
});

test('every event id is read back, with a failure and without', () => {
  const epoch = fc.stringMatching(/^[0-9a-z]{1,32}$/);
  const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  fc.assert(
    fc.property(epoch, seq, (...parts) => {
      const id = eventId(...parts);
      assert.equal(parseCursor(staleId(id)), staleId(id));
      assert.deepEqual(readCursor(id), { id, isStale: false });
      assert.deepEqual(readCursor(staleId(id)), { id, isStale: true });
    }),
  );
});
