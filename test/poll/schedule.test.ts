import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Every, Pace, PollReport } from '../../src/poll/schedule.ts';
import {
  delayMs,
  firstDelayMs,
  firstPace,
  nextPace,
  resumeDelayMs,
} from '../../src/poll/schedule.ts';

const FIXED: Every = { minMs: 2_000, maxMs: 2_000 };
const ADAPTIVE: Every = { minMs: 1_000, maxMs: 30_000 };
/** The middle of the jitter: intervals are what they say. */
const NO_JITTER = 0.5;
const JUST_BELOW_ONE = 1 - Number.EPSILON;

const report = (result: PollReport['result'], rest: Partial<PollReport> = {}): PollReport => ({
  result,
  at: 0,
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

/** The pace of a channel that has failed so often. */
function failing(every: Every, failures: number): Pace {
  return { ...firstPace(every), failures };
}

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const duration = fc.integer({ min: 1, max: 3_600_000 });

test('a fixed interval stays exactly what it is, whatever polls find and whenever', () => {
  const results = fc.array(fc.tuple(fc.constantFrom('changed', 'unchanged', 'failed'), duration));
  fc.assert(
    fc.property(duration, results, (everyMs, history) => {
      const every = { minMs: everyMs, maxMs: everyMs };
      let pace = firstPace(every);
      let at = 0;
      for (const [result, pause] of history) {
        pace = nextPace(pace, every, report(result, { at }));
        assert.equal(pace.intervalMs, everyMs);
        if (result !== 'failed')
          assert.equal(delayMs(pace, every, report(result, { at }), NO_JITTER), everyMs);
        at += pause;
      }
    }),
  );
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

test('an interval varies by five percent in both directions', () => {
  const pace = firstPace(FIXED);
  assert.equal(delayMs(pace, FIXED, report('unchanged'), 0), 1_900);
  assert.ok(Math.abs(delayMs(pace, FIXED, report('unchanged'), JUST_BELOW_ONE) - 2_100) < 1e-6);
});

test('the second poll of a loop comes after half an interval at least, one at most', () => {
  const pace = paceAfter(FIXED, 'changed');
  const delays = [0, 0.5, JUST_BELOW_ONE].map((share) =>
    Math.round(firstDelayMs(pace, FIXED, report('changed'), share)),
  );
  assert.deepEqual(delays, [1_000, 1_500, 2_000]);
});

test('the second poll of a loop counts from the start of the first', () => {
  const pace = paceAfter(FIXED, 'changed');
  assert.equal(firstDelayMs(pace, FIXED, report('changed', { tookMs: 400 }), 0), 600);
  assert.equal(firstDelayMs(pace, FIXED, report('changed', { tookMs: 9_000 }), 0), 200);
});

test('a loop whose first poll fails backs off as any other', () => {
  const pace = paceAfter(FIXED, 'failed');
  for (const share of [0, NO_JITTER, JUST_BELOW_ONE]) {
    const failed = report('failed', { retryAfterMs: 7_000 });
    assert.equal(firstDelayMs(pace, FIXED, failed, share), delayMs(pace, FIXED, failed, share));
  }
});

test('a thousand loops that were started together are spread over the second half of the interval', () => {
  const loops = Array.from({ length: 1_000 }, (_, index) => index / 1_000);
  const pace = paceAfter(FIXED, 'changed');
  const delays = loops.map((share) => firstDelayMs(pace, FIXED, report('changed'), share));
  for (let start = 1_000; start < 2_000; start += 100) {
    const inWindow = delays.filter((delay) => delay >= start && delay < start + 100).length;
    assert.ok(inWindow <= 101, `${inWindow} in 100 ms`);
  }
});

test('each failure in a row doubles the wait, up to a minute', () => {
  const waits = [1, 2, 3, 4, 5, 6, 100, 5_000].map((failures) =>
    delayMs(failing(FIXED, failures), FIXED, report('failed'), NO_JITTER),
  );
  assert.deepEqual(waits, [4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000, 60_000]);
});

test('an interval longer than a minute is the ceiling of its own backoff', () => {
  const every = { minMs: 300_000, maxMs: 300_000 };
  const pace = paceAfter(every, 'failed', 'failed');
  assert.equal(delayMs(pace, every, report('failed'), NO_JITTER), 300_000);
});

test('failures keep the interval and what is known of changes; the first success ends the backoff', () => {
  const pace = paceAfter(ADAPTIVE, 'changed', 'unchanged', 'failed', 'failed');
  assert.equal(pace.intervalMs, 1_500);
  assert.equal(pace.failures, 2);
  assert.equal(pace.changedAt, 0);
  assert.equal(nextPace(pace, ADAPTIVE, report('unchanged')).failures, 0);
  const changed = nextPace(pace, ADAPTIVE, report('changed'));
  assert.deepEqual([changed.failures, changed.intervalMs], [0, 1_000]);
});

test('Retry-After is a floor, which jitter never goes below', () => {
  const pace = paceAfter(FIXED, 'failed');
  const failed = report('failed', { retryAfterMs: 120_000 });
  assert.equal(delayMs(pace, FIXED, failed, 0), 120_000);
  assert.ok(delayMs(pace, FIXED, failed, 0.999) > 120_000);
});

test('channels that are told the same moment by Retry-After come spread over an interval at least', () => {
  const pace = paceAfter(FIXED, 'failed');
  for (const retryAfterMs of [5_000, 30_000]) {
    const failed = report('failed', { retryAfterMs });
    assert.equal(delayMs(pace, FIXED, failed, 0), retryAfterMs);
    assert.equal(delayMs(pace, FIXED, failed, NO_JITTER), retryAfterMs + 1_000);
  }
});

test('a Retry-After shorter than the backoff does not shorten it', () => {
  const pace = paceAfter(FIXED, 'failed');
  for (const retryAfterMs of [undefined, -5, 0, 1]) {
    const failed = report('failed', { retryAfterMs });
    assert.equal(delayMs(pace, FIXED, failed, NO_JITTER), 4_000);
  }
});

test('a Retry-After is believed up to ten minutes', () => {
  const pace = paceAfter(FIXED, 'failed');
  const year = report('failed', { retryAfterMs: 365 * 86_400_000 });
  assert.equal(delayMs(pace, FIXED, year, 0), 600_000);
  assert.equal(nextPace(pace, FIXED, year).notBefore, 600_000);
});

test('Retry-After counts from the end of the poll that it answers, and holds until a success', () => {
  const told = report('failed', { at: 1_000, tookMs: 500, retryAfterMs: 30_000 });
  const pace = nextPace(firstPace(FIXED), FIXED, told);
  assert.equal(pace.notBefore, 31_500);
  for (const result of ['changed', 'unchanged'] as const) {
    const after = nextPace(pace, FIXED, report(result, { at: 40_000 }));
    assert.equal(after.notBefore, Number.NEGATIVE_INFINITY);
  }
});

test('when the upstream is back, polls go on at a random moment within their interval', () => {
  const pace = failing(FIXED, 5);
  assert.equal(resumeDelayMs(pace, 70_000, 0), 0);
  assert.equal(resumeDelayMs(pace, 70_000, NO_JITTER), 1_000);
  assert.ok(resumeDelayMs(pace, 70_000, JUST_BELOW_ONE) < 2_000);
});

test('an adaptive channel comes back within the interval that it had', () => {
  const pace = paceAfter(ADAPTIVE, 'unchanged', 'unchanged', 'failed', 'failed');
  assert.equal(resumeDelayMs(pace, 70_000, NO_JITTER), 2_250 / 2);
});

test('a channel comes back no sooner than Retry-After has told it', () => {
  const told = report('failed', { retryAfterMs: 30_000 });
  const pace = nextPace(firstPace(FIXED), FIXED, told);
  assert.equal(resumeDelayMs(pace, 10_000, 0), 20_000);
  assert.equal(resumeDelayMs(pace, 10_000, NO_JITTER), 21_000);
  assert.equal(resumeDelayMs(pace, 50_000, NO_JITTER), 1_000);
});

test('every wait is positive and within five percent of what is due', () => {
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

test('no poll comes before Retry-After is over, nor later than an interval or five percent after', () => {
  fc.assert(
    fc.property(duration, duration, duration, fc.nat(30), random, (a, b, asked, failures, r) => {
      const every = { minMs: Math.min(a, b), maxMs: Math.max(a, b) };
      const pace = failing(every, failures + 1);
      const believed = Math.min(asked, 600_000);
      const wait = delayMs(pace, every, report('failed', { retryAfterMs: asked }), r);
      const backoff = Math.min(Math.max(60_000, every.maxMs), every.minMs * 2 ** (failures + 1));
      const spread = Math.max(every.minMs, believed * 0.05);
      assert.ok(wait >= believed);
      assert.ok(wait <= Math.max(backoff * 1.0501, believed + spread));
    }),
  );
});
