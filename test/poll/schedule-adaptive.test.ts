import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { delayMs, firstPace, nextPace } from '../../src/poll/schedule.ts';
import { createSeededRandom } from './seeded-random.ts';
import { mean, simulatePolls } from './simulated-polls.ts';

const EVERY = { minMs: 1_000, maxMs: 60_000 };
const HOUR = 3_600_000;

/** Moments at a fixed distance, somewhat off the beat of polls. */
function periodic(periodMs: number, untilMs: number, phase = 0.37): number[] {
  const count = Math.floor(untilMs / periodMs - phase);
  return Array.from({ length: count }, (_, index) => (index + 1 + phase) * periodMs);
}

/** Moments that know nothing of each other. */
function poisson(meanMs: number, untilMs: number, random: () => number): number[] {
  const moments: number[] = [];
  for (let at = 0; at < untilMs; at += -Math.log(1 - random()) * meanMs) moments.push(at);
  return moments.slice(1);
}

/** Changes close after each other, then none for long. */
function bursts(size: number, gapMs: number, quietMs: number, untilMs: number): number[] {
  const moments: number[] = [];
  for (let at = quietMs; at < untilMs; at += quietMs) {
    for (let i = 0; i < size; i++, at += gapMs) moments.push(at);
  }
  return moments;
}

test('an adaptive interval starts at the fastest and grows by half with each poll that finds no change', () => {
  const { sent } = simulatePolls(EVERY, [], 20_000);
  const intervals = sent.map(({ intervalMs }) => intervalMs);
  assert.deepEqual(intervals, [1_000, 1_500, 2_250, 3_375, 5_062.5, 7_593.75]);
});

test('what never changes is polled at the slowest interval within three minutes', () => {
  const { sent } = simulatePolls(EVERY, [], HOUR);
  const reached = sent.find(({ intervalMs }) => intervalMs === EVERY.maxMs);
  assert.ok(reached && reached.at < 180_000, `reached at ${reached?.at}`);
  assert.ok(sent.indexOf(reached) <= 12);
});

test('a change brings the interval back to the fastest at once', () => {
  const { sent } = simulatePolls(EVERY, [HOUR], HOUR + 120_000);
  const back = sent.findIndex(({ at, intervalMs }) => at >= HOUR && intervalMs === EVERY.minMs);
  assert.ok(back > 0);
  assert.equal(sent[back - 1]?.intervalMs, EVERY.maxMs);
  assert.equal((sent[back + 1]?.at ?? 0) - (sent[back]?.at ?? 0), EVERY.minMs);
});

test('what changes every ten seconds is seen within a few seconds for ever, for half the polls', () => {
  const { polls, staleness } = simulatePolls(EVERY, periodic(10_000, HOUR), HOUR);
  // Nothing is known of the rate until the second change has been found.
  const known = staleness.slice(2);
  assert.ok(Math.max(...known) < 3_500, `${Math.max(...known)}`);
  assert.ok(mean(known) < 1_750, `${mean(known)}`);
  assert.ok(polls / staleness.length < 6.5, `${polls / staleness.length}`);
});

for (const seconds of [5, 8, 10, 20, 30, 60, 120]) {
  test(`of changes every ${seconds} s each is seen within a third of that and a second, for twelve polls or fewer`, () => {
    const period = seconds * 1_000;
    const until = 200 * period;
    for (const phase of [0, 0.25, 0.5, 0.75]) {
      const random = createSeededRandom(seconds);
      const { polls, staleness } = simulatePolls(
        EVERY,
        periodic(period, until, phase),
        until,
        random,
      );
      const known = staleness.slice(2);
      assert.ok(Math.max(...known) <= period / 3 + EVERY.minMs, `${Math.max(...known)}`);
      assert.ok(mean(known) <= period / 6 + EVERY.minMs / 2, `${mean(known)}`);
      const fixed = until / EVERY.minMs;
      assert.ok(polls / staleness.length <= 12 && polls < fixed * 0.95, `${polls} of ${fixed}`);
    }
  });
}

test('what changes faster than it may be polled is polled at the fastest interval', () => {
  for (const period of [200, 500, 1_000]) {
    const { sent } = simulatePolls(EVERY, periodic(period, 600_000), 600_000);
    assert.ok(sent.slice(10).every(({ intervalMs }) => intervalMs === EVERY.minMs));
  }
});

test('what changes more rarely than the slowest interval is polled hardly more often than that', () => {
  const until = 100 * HOUR;
  const { polls, staleness } = simulatePolls(EVERY, periodic(HOUR, until), until);
  assert.ok(Math.max(...staleness) <= EVERY.maxMs);
  assert.ok(polls <= 1.2 * (until / EVERY.maxMs), `${polls}`);
});

for (const seconds of [5, 10, 30, 60]) {
  test(`of changes at random, one in ${seconds} s, each is seen within a quarter of that in the mean`, () => {
    const until = 2_000 * seconds * 1_000;
    const changes = poisson(seconds * 1_000, until, createSeededRandom(seconds));
    const { polls, staleness } = simulatePolls(EVERY, changes, until, createSeededRandom(1));
    assert.ok(mean(staleness) < seconds * 250, `${mean(staleness)}`);
    assert.ok(polls / changes.length < 10, `${polls / changes.length}`);
    assert.ok(Math.max(...staleness) <= EVERY.maxMs * 1.05);
  });
}

test('after a burst the quiet is noticed: polls thin out with the time since the last change', () => {
  const last = 60_000;
  const { sent } = simulatePolls(EVERY, periodic(1_000, last), HOUR);
  for (const { at, intervalMs } of sent) {
    const quiet = at - last;
    if (quiet > 5_000) assert.ok(intervalMs <= Math.max(EVERY.minMs, (quiet + 2_000) / 4));
    if (quiet > 6 * EVERY.maxMs) assert.equal(intervalMs, EVERY.maxMs);
  }
});

test('bursts are seen as closely as single changes, once the first of them has been found', () => {
  const until = 20 * HOUR;
  const quiet = 300_000;
  const changes = bursts(30, 2_000, quiet, until);
  const { polls, staleness } = simulatePolls(EVERY, changes, until, createSeededRandom(5));
  const sorted = [...staleness].sort((a, b) => a - b);
  assert.ok((sorted[Math.floor(sorted.length / 3)] ?? 0) < 2_000);
  assert.ok(Math.max(...staleness) <= EVERY.maxMs * 1.05);
  assert.ok(polls / changes.length < 2, `${polls / changes.length}`);
});

test('a quiet night is forgotten after a dozen changes of the day', () => {
  const night = 8 * HOUR;
  const day = periodic(10_000, HOUR, 0).map((at) => night + at);
  const { staleness } = simulatePolls(EVERY, day, night + HOUR);
  assert.ok(Math.max(...staleness.slice(12)) < 3_500, `${Math.max(...staleness.slice(12))}`);
});

test('polls on demand in between do not make changes look rarer than they are', () => {
  let pace = firstPace(EVERY);
  for (let at = 0; at <= 20_000; at += 2_000) {
    pace = nextPace(pace, EVERY, { result: 'changed', at, tookMs: 0 });
  }
  assert.ok(Math.abs((pace.changeEveryMs ?? 0) - 2_000) < 1);
});

test('an outage leaves the interval and the estimate as they were', () => {
  const at = (moment: number, result: 'changed' | 'failed') => ({ result, at: moment, tookMs: 0 });
  let pace = nextPace(firstPace(EVERY), EVERY, at(0, 'changed'));
  pace = nextPace(pace, EVERY, at(10_000, 'changed'));
  const before = pace;
  for (const moment of [12_000, 14_000, 18_000]) pace = nextPace(pace, EVERY, at(moment, 'failed'));
  assert.equal(pace.intervalMs, before.intervalMs);
  assert.equal(pace.changeEveryMs, before.changeEveryMs);
});

test('between two changes an interval never shrinks, nor does it ever leave its bounds', () => {
  const bound = fc.integer({ min: 1, max: 100_000 });
  const step = fc.tuple(fc.constantFrom('changed', 'unchanged', 'failed'), fc.nat(100_000));
  fc.assert(
    fc.property(bound, bound, fc.array(step, { maxLength: 60 }), (a, b, steps) => {
      const every = { minMs: Math.min(a, b), maxMs: Math.max(a, b) };
      let pace = firstPace(every);
      let at = 0;
      for (const [result, pause] of steps) {
        at += pause;
        const report = { result, at, tookMs: 0 };
        const next = nextPace(pace, every, report);
        assert.ok(next.intervalMs >= every.minMs && next.intervalMs <= every.maxMs);
        if (result === 'changed') assert.equal(next.intervalMs, every.minMs);
        else assert.ok(next.intervalMs >= pace.intervalMs);
        assert.ok(Number.isFinite(delayMs(next, every, report, 0.5)));
        pace = next;
      }
    }),
  );
});
