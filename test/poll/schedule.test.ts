import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Every, Pace, PollReport } from '../../src/poll/schedule.ts';
import { delayMs, firstPace, nextPace } from '../../src/poll/schedule.ts';

const FIXED: Every = { minMs: 2_000, maxMs: 2_000 };
const ADAPTIVE: Every = { minMs: 1_000, maxMs: 30_000 };
/** The middle of the jitter: intervals are what they say. */
const NO_JITTER = 0.5;

const report = (result: PollReport['result'], rest: Partial<PollReport> = {}): PollReport => ({
  result,
  tookMs: 0,
  ...rest,
});

/** The pace after these results in a row. */
function paceAfter(every: Every, ...results: PollReport['result'][]): Pace {
  return results.reduce<Pace>(
    (pace, result) => nextPace(pace, every, report(result)),
    firstPace(every),
  );
}

test('a fixed interval stays what it is, whatever polls find', () => {
  for (const result of ['changed', 'unchanged'] as const) {
    const pace = paceAfter(FIXED, result, result, result);
    assert.equal(delayMs(pace, FIXED, report(result), NO_JITTER), 2_000);
  }
});

test('an adaptive interval starts at the fastest', () => {
  assert.deepEqual(firstPace(ADAPTIVE), { intervalMs: 1_000, failures: 0 });
});

test('an adaptive interval grows by half with each poll that finds no change, up to the slowest', () => {
  assert.equal(paceAfter(ADAPTIVE, 'unchanged').intervalMs, 1_500);
  assert.equal(paceAfter(ADAPTIVE, 'unchanged', 'unchanged').intervalMs, 2_250);
  const long = paceAfter(ADAPTIVE, ...Array<'unchanged'>(20).fill('unchanged'));
  assert.equal(long.intervalMs, 30_000);
});

test('a change brings an adaptive interval back to the fastest', () => {
  assert.equal(paceAfter(ADAPTIVE, 'unchanged', 'unchanged', 'changed').intervalMs, 1_000);
});

test('an interval counts from the start of a poll to the start of the next', () => {
  const pace = firstPace(FIXED);
  assert.equal(delayMs(pace, FIXED, report('unchanged', { tookMs: 300 }), NO_JITTER), 1_700);
});

test('a poll that took longer than its interval is followed by a pause of a tenth of it', () => {
  const pace = firstPace(FIXED);
  for (const tookMs of [1_801, 2_000, 90_000]) {
    assert.equal(delayMs(pace, FIXED, report('unchanged', { tookMs }), NO_JITTER), 200);
  }
});

test('each failure in a row doubles the wait, up to a minute', () => {
  const waits = [1, 2, 3, 4, 5, 6, 100, 5_000].map((failures) =>
    delayMs({ intervalMs: 2_000, failures }, FIXED, report('failed'), NO_JITTER),
  );
  assert.deepEqual(waits, [4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000]);
});

test('an interval longer than a minute is the ceiling of its own backoff', () => {
  const every = { minMs: 300_000, maxMs: 300_000 };
  const pace = paceAfter(every, 'failed', 'failed');
  assert.equal(delayMs(pace, every, report('failed'), NO_JITTER), 300_000);
});

test('failures keep the interval, and the first success ends the backoff', () => {
  const failing = paceAfter(ADAPTIVE, 'unchanged', 'failed', 'failed');
  assert.deepEqual(failing, { intervalMs: 1_500, failures: 2 });
  assert.equal(nextPace(failing, ADAPTIVE, report('unchanged')).failures, 0);
  assert.deepEqual(nextPace(failing, ADAPTIVE, report('changed')), firstPace(ADAPTIVE));
});

test('Retry-After is a floor, which jitter never goes below', () => {
  const pace = paceAfter(FIXED, 'failed');
  const failed = report('failed', { retryAfterMs: 120_000 });
  assert.equal(delayMs(pace, FIXED, failed, 0), 120_000);
  assert.ok(delayMs(pace, FIXED, failed, 0.999) > 120_000);
});

test('a Retry-After shorter than the backoff does not shorten it', () => {
  const pace = paceAfter(FIXED, 'failed');
  assert.equal(delayMs(pace, FIXED, report('failed', { retryAfterMs: 1 }), NO_JITTER), 4_000);
});

test('a Retry-After is believed up to ten minutes', () => {
  const pace = paceAfter(FIXED, 'failed');
  const year = report('failed', { retryAfterMs: 365 * 86_400_000 });
  assert.equal(delayMs(pace, FIXED, year, 0), 600_000);
});

test('every wait is positive and within five percent of what is due', () => {
  const duration = fc.integer({ min: 1, max: 3_600_000 });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const results = fc.array(fc.constantFrom('changed', 'unchanged', 'failed'), { maxLength: 40 });
  fc.assert(
    fc.property(duration, duration, results, duration, random, (a, b, history, tookMs, r) => {
      const every = { minMs: Math.min(a, b), maxMs: Math.max(a, b) };
      const pace = paceAfter(every, ...history);
      assert.ok(pace.intervalMs >= every.minMs && pace.intervalMs <= every.maxMs);
      const wait = delayMs(pace, every, report(history.at(-1) ?? 'changed', { tookMs }), r);
      const ceiling = Math.max(60_000, every.maxMs);
      const due = Math.min(ceiling, pace.intervalMs * 2 ** pace.failures);
      if (pace.failures > 0) assert.ok(wait >= due * 0.9499 && wait <= due * 1.0501);
      else assert.ok(wait >= due * 0.09499 && wait <= due * 1.0501);
    }),
  );
});
