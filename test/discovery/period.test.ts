import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPeriod } from '../../src/discovery/period.ts';
import { wilsonLowerBound } from '../../src/discovery/statistics.ts';
import { exponential, seededRandom } from './random.ts';

const SECOND = 1_000;

function regular(everyMs: number, times: number, startMs = 0): number[] {
  return Array.from({ length: times }, (_, i) => startMs + i * everyMs);
}

function sorted(...series: readonly (readonly number[])[]): number[] {
  return series.flat().sort((a, b) => a - b);
}

function assertPeriod(times: readonly number[], wantedMs: number, resolutionMs = 1): void {
  const period = findPeriod(times, resolutionMs);
  assert.ok(period, 'no period');
  const error = Math.abs(period.ms - wantedMs) / wantedMs;
  assert.ok(error < 0.02, `${period.ms} is not ${wantedMs}`);
  assert.ok(period.score >= 0.5, `a score of ${period.score}`);
}

test('a timer is found with its interval', () => {
  for (const ms of [500, 2_200, 5_000, 30_400, 300_000]) assertPeriod(regular(ms, 12), ms);
});

test('few requests show little: five of five are less sure than thirty of thirty', () => {
  assert.ok(wilsonLowerBound(5, 5) < 0.6);
  assert.ok(wilsonLowerBound(30, 30) > 0.85);
  const few = findPeriod(regular(5_000, 5), 1)?.score ?? 0;
  const many = findPeriod(regular(5_000, 30), 1)?.score ?? 0;
  assert.ok(few < 0.5, `${few}`);
  assert.ok(many > 0.8, `${many}`);
});

test('the interval is found, not a multiple of it', () => {
  // One of five is missing: differences of twice the interval come often.
  const times = regular(5_000, 40).filter((_, i) => i % 5 !== 3);
  assertPeriod(times, 5_000);
  const random = seededRandom(7);
  const late = regular(5_000, 40).map((time) => time + random() * 600);
  assertPeriod(late, 5_000);
});

test('two tabs of one client are two timers with one interval', () => {
  for (const shift of [700, 1_300, 2_100, 3_900]) {
    assertPeriod(sorted(regular(5_000, 30), regular(5_000, 30, shift)), 5_000);
  }
});

test('times in whole seconds do', () => {
  for (const ms of [2_200, 5_000, 30_400]) {
    const times = regular(ms, 60, 317).map((time) => Math.floor(time / SECOND) * SECOND);
    assertPeriod(times, ms, SECOND);
  }
});

test('pauses, as when a page is closed and opened again, do not count', () => {
  const times = sorted(regular(4_000, 8), regular(4_000, 9, 500_300), regular(4_000, 12, 901_700));
  assertPeriod(times, 4_000);
});

test('pairs of requests a fixed time apart are no timer', () => {
  const random = seededRandom(3);
  const starts = Array.from({ length: 20 }, (_, i) => i * 60_000 + random() * 30_000);
  const pairs = starts.flatMap((start) => [start, start + 2_000]);
  const score = findPeriod(pairs, 1)?.score ?? 0;
  assert.ok(score < 0.5, `${score}`);
});

test('requests at random times have no period, whatever their number', () => {
  let found = 0;
  let tried = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const random = seededRandom(seed);
    const count = 5 + Math.floor(random() * 60);
    let at = 0;
    const times = Array.from({ length: count }, () => (at += exponential(random, 10_000)));
    tried += 1;
    if ((findPeriod(times, 1)?.score ?? 0) >= 0.5) found += 1;
  }
  assert.ok(found <= tried / 100, `${found} of ${tried}`);
});

test('typing is no timer', () => {
  const random = seededRandom(5);
  for (let i = 0; i < 100; i++) {
    let at = 0;
    const times = Array.from({ length: 9 }, () => (at += 120 + random() * 90));
    assert.equal(findPeriod(times, 1), undefined);
  }
});
