import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restartDelayMs } from '../../src/supervisor/restart-delay.ts';

/** The delays of these ends in a row, each after so long a life. */
function delays(...livesMs: readonly number[]): number[] {
  let crashes = 0;
  return livesMs.map((livedMs) => {
    const next = restartDelayMs(crashes, livedMs);
    crashes = next.crashes;
    return next.delayMs;
  });
}

test('what had hardly begun is started again after ever longer', () => {
  assert.deepEqual(
    delays(0, 0, 9_999, 0, 0, 0, 0, 0),
    [50, 100, 200, 400, 800, 1_600, 3_200, 6_400],
  );
});

test('the longest wait is ten seconds, however often it has ended', () => {
  assert.deepEqual(delays(...Array<number>(12).fill(0)).slice(8), [10_000, 10_000, 10_000, 10_000]);
  for (const crashes of [50, 1_000, 1_000_000]) {
    assert.equal(restartDelayMs(crashes, 0).delayMs, 10_000);
  }
});

test('what has run for ten seconds is started again at once, and what was before is forgotten', () => {
  assert.deepEqual(delays(0, 0, 0, 10_000, 0), [50, 100, 200, 50, 100]);
  assert.deepEqual(delays(3_600_000, 10_000, 20_000), [50, 50, 50]);
});
