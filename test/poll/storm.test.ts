import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Every } from '../../src/poll/schedule.ts';
import type { SimulatedUpstream } from './storm-scene.ts';
import { perWindow, startStorm, UPSTREAMS } from './storm-scene.ts';

const EVERY: Every = { minMs: 2_000, maxMs: 2_000 };
const DOWN_FROM = 14_000;
const DOWN_UNTIL = DOWN_FROM + 60_000;
/** The longest pause between two probes, with its jitter. */
const PROBE_PAUSE_MS = 2_000;

interface Options {
  readonly every?: Every;
  readonly seed?: number;
  readonly afterMs?: number;
}

/** An upstream is well, is in trouble for a minute, and is well again. */
async function weather(channels: number, trouble: SimulatedUpstream, options: Options = {}) {
  const { every = EVERY, seed = 1, afterMs = 40_000 } = options;
  const end = DOWN_UNTIL + afterMs;
  const storm = startStorm({ channels, every, seed });
  const { clock } = storm;
  await clock.advance(DOWN_FROM);
  storm.upstream = trouble;
  await clock.advance(DOWN_UNTIL - DOWN_FROM);
  storm.upstream = UPSTREAMS.well;
  await clock.advance(afterMs);
  storm.stop();
  await clock.advance(10_000); // polls under way
  const back = storm.successes.map(
    (moments) => (moments.find((at) => at >= DOWN_UNTIL) ?? Number.POSITIVE_INFINITY) - DOWN_UNTIL,
  );
  return {
    pending: clock.pending,
    perSecondBefore: perSecond(storm.polls, DOWN_FROM),
    perSecondAfter: perSecond(storm.polls, end),
    /** Polls that reached the upstream in each ten seconds of its trouble. */
    whileDown: perWindow(storm.polls, 10_000, DOWN_FROM, DOWN_UNTIL),
    probesWhileDown: perWindow(storm.probes, 10_000, DOWN_FROM, DOWN_UNTIL),
    busiest100Ms: Math.max(...perWindow(storm.polls, 100, DOWN_UNTIL, end)),
    /** From the recovery to the first success of any channel, and of the last one. */
    firstBackMs: Math.min(...back),
    allBackMs: Math.max(...back),
  };
}

/** In the last four seconds. */
function perSecond(moments: readonly number[], until: number): number {
  return moments.filter((at) => at >= until - 4_000 && at < until).length / 4;
}

interface Row {
  readonly trouble: keyof typeof UPSTREAMS;
  /** Polls of the first ten seconds, at most: until the failures are enough. */
  readonly first: number;
  /** Polls of each ten seconds after those, at most. */
  readonly later: number;
  /** From the recovery until it is noticed, at most. */
  readonly noticedMs: number;
}

/*
 * A poll that the upstream never answers is noticed to be lost after ten seconds, its timeout. Who
 * does not get a connection needs no more than the probe's five seconds. While the upstream
 * answers with 503, or accepts and hangs, only polls can tell, one in each interval of theirs:
 * thousands of polls a second become one in two.
 */
const CROWD: readonly Row[] = [
  { trouble: 'refusing', first: 70, later: 1, noticedMs: PROBE_PAUSE_MS },
  { trouble: 'silent', first: 64, later: 5, noticedMs: 5_000 + PROBE_PAUSE_MS + 10_000 },
  { trouble: 'overloaded', first: 70, later: 6, noticedMs: 2_300 + 10 },
  { trouble: 'unavailable', first: 64, later: 2, noticedMs: 30_000 + PROBE_PAUSE_MS },
  { trouble: 'hanging', first: 64, later: 5, noticedMs: 10_000 + 2_300 },
];

for (const { trouble, first, later, noticedMs } of CROWD) {
  test(`two thousand channels leave an upstream that is ${trouble} alone, and come back in order`, async () => {
    const storm = await weather(2_000, UPSTREAMS[trouble], { afterMs: noticedMs + 8_000 });
    const { perSecondBefore: before, perSecondAfter: after } = storm;
    assert.ok(before > 950 && before < 1_050, `${before} polls a second`);

    const [beginning = Number.NaN, ...rest] = storm.whileDown;
    assert.ok(beginning <= first, `${storm.whileDown}`);
    assert.ok(Math.max(...rest) <= later, `${storm.whileDown}`);
    assert.ok(Math.max(...storm.probesWhileDown) <= 12, `${storm.probesWhileDown}`);

    assert.ok(storm.firstBackMs <= noticedMs, `noticed after ${storm.firstBackMs} ms`);
    const spread = storm.allBackMs - storm.firstBackMs;
    assert.ok(spread <= EVERY.maxMs * 1.05 + 100, `all back ${spread} ms later`);
    assert.ok(spread > EVERY.maxMs * 0.9, `all back within ${spread} ms`);
    assert.ok(storm.busiest100Ms < 2 * (before / 10), `${storm.busiest100Ms} in 100 ms`);

    assert.ok(Math.abs(after - before) < before / 20, `${after} polls a second`);
    assert.equal(storm.pending, 0);
  });
}

/** One channel cannot decay as strongly, but it does; each failure that is answered costs a poll. */
const ALONE: readonly Row[] = [
  { trouble: 'refusing', first: 3, later: 1, noticedMs: PROBE_PAUSE_MS },
  { trouble: 'silent', first: 2, later: 1, noticedMs: 5_000 + PROBE_PAUSE_MS + 10_000 },
  { trouble: 'overloaded', first: 3, later: 3, noticedMs: 35_000 },
  { trouble: 'unavailable', first: 1, later: 1, noticedMs: 30_000 + 3_000 },
  { trouble: 'hanging', first: 2, later: 1, noticedMs: 35_000 + 10_000 },
];

for (const { trouble, first, later, noticedMs } of ALONE) {
  test(`one channel polls an upstream that is ${trouble} ever more rarely, and notices its return`, async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const storm = await weather(1, UPSTREAMS[trouble], { seed, afterMs: 60_000 });
      const [beginning = Number.NaN, ...rest] = storm.whileDown;
      assert.ok(beginning <= first, `${storm.whileDown}`);
      assert.ok(Math.max(...rest) <= later, `${storm.whileDown}`);
      const [, , , ...end] = storm.whileDown;
      const total = end.reduce((sum, polls) => sum + polls, 0);
      assert.ok(total <= 3, `${storm.whileDown}, of which fifteen would be due`);
      assert.ok(storm.allBackMs <= noticedMs, `back after ${storm.allBackMs} ms`);
      assert.equal(storm.pending, 0);
    }
  });
}

test('a handful of channels notice together that the upstream is back', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const storm = await weather(4, UPSTREAMS.refusing, { seed });
    assert.ok(storm.allBackMs <= PROBE_PAUSE_MS + EVERY.maxMs, `${storm.allBackMs}`);
    assert.ok(Math.max(...storm.whileDown.slice(1)) <= 1, `${storm.whileDown}`);
  }
});

test('adaptive channels come back no faster than they polled before', async () => {
  const every = { minMs: 1_000, maxMs: 4_000 };
  const storm = await weather(2_000, UPSTREAMS.refusing, { every, afterMs: 10_000 });
  const { perSecondBefore: before } = storm;
  assert.ok(before < 600, `${before} polls a second`);
  assert.ok(storm.busiest100Ms < 2 * (before / 10), `${storm.busiest100Ms} in 100 ms`);
  assert.ok(storm.allBackMs <= PROBE_PAUSE_MS + every.maxMs * 1.05, `${storm.allBackMs}`);
});

test('ten thousand channels at ten seconds: as two thousand at two', async () => {
  const every = { minMs: 10_000, maxMs: 10_000 };
  const storm = await weather(10_000, UPSTREAMS.refusing, { every, afterMs: 15_000 });
  assert.ok((storm.whileDown[0] ?? Number.NaN) <= 70);
  assert.ok(Math.max(...storm.whileDown.slice(1)) <= 1, `${storm.whileDown}`);
  assert.ok(storm.busiest100Ms < 200, `${storm.busiest100Ms} in 100 ms`);
  assert.ok(storm.allBackMs <= 2_600 + every.maxMs * 1.05, `${storm.allBackMs}`);
});

test('a thousand channels that start at once no longer beat together after their first poll', async () => {
  const storm = startStorm({ channels: 1_000, every: EVERY });
  await storm.clock.advance(12_000);
  storm.stop();
  const windows = perWindow(storm.polls, 100, 4_000, 12_000);
  assert.ok(Math.max(...windows) <= 3 * 50, `${windows}`);
});

test('with a rate for the upstream its recovery is no exception from it', async () => {
  const storm = startStorm({ channels: 2_000, every: EVERY, maxPerSecond: 200 });
  await storm.clock.advance(DOWN_FROM);
  storm.upstream = UPSTREAMS.refusing;
  await storm.clock.advance(DOWN_UNTIL - DOWN_FROM);
  storm.upstream = UPSTREAMS.well;
  await storm.clock.advance(30_000);
  storm.stop();
  for (const polls of perWindow(storm.polls, 1_000, 1_000, DOWN_UNTIL + 30_000)) {
    assert.ok(polls <= 220, `${polls} in a second`);
  }
  const late = storm.successes.filter((moments) => !moments.some((at) => at >= DOWN_UNTIL));
  assert.equal(late.length, 0);
});

test('an upstream that gives in whenever everybody comes back is left alone for longer each time', async () => {
  const storm = startStorm({ channels: 2_000, every: EVERY });
  await storm.clock.advance(20_000);
  const collapses: number[] = [];
  for (let now = 20_000; now < 200_000; now += 50) {
    // It serves fifty polls of a recovery, then it is down for four seconds.
    const recent = storm.polls.filter((at) => at > now - 500).length;
    const last = collapses.at(-1) ?? Number.NEGATIVE_INFINITY;
    if (recent > 50) collapses.push(now);
    storm.upstream = recent > 50 || now < last + 4_000 ? UPSTREAMS.overloaded : UPSTREAMS.well;
    await storm.clock.advance(50);
  }
  storm.stop();
  const perMinute = perWindow(storm.polls, 60_000, 20_000, 200_000);
  const [first = 0, , last = 0] = perMinute;
  assert.ok(first < 600 && last < first * 0.7, `${perMinute}, of which 60,000 would be due`);
});
