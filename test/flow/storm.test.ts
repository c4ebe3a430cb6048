import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createBusyClock } from '../poll/busy-clock.ts';
import { startMortalUpstream } from '../support/mortal-upstream.ts';
import { countPolls } from '../support/poll-count.ts';
import { startTestProxy } from '../support/proxy.ts';
import { openCrowd } from '../support/stream-crowd.ts';
import { until } from '../support/until.ts';

/*
 * Sockets are real, time is not: it moves on only when all that the proxy has asked for has come or
 * waits for the time itself. So nothing here depends on how fast the machine is.
 */
const SUBSCRIBERS = 2_000;
const CHANNELS = 20;
const INTERVAL_MS = 2_000;
/** Tight enough to be felt by twenty channels that begin at once. */
const LIMITS = { polls: 3, pollsPerSecond: 30 };
/** Of polls: a burst after a rest, and what comes after it. */
const MOST_IN_100_MS = (2 * LIMITS.pollsPerSecond) / 10;
/** How long the upstream takes. */
const ANSWER_MS = 20;
const DOWN_MS = 60_000;
const STEP_MS = 25;
/** The longest pause between two probes, with its jitter. */
const PROBE_PAUSE_MS = 2_000;
/** So many in a row, and the upstream is taken to be down. */
const FAILURES_TO_OPEN = 5;
/** Turns of the event loop. */
const READING_TURNS = 1_000;
/** The longest that the budget may keep the last of all channels waiting, at its rate. */
const QUEUE_MS = (CHANNELS * 1_000) / LIMITS.pollsPerSecond;

/** A proxy, an upstream that may die, and everybody who streams. */
async function setUp(t: TestContext) {
  const clock = createBusyClock();
  const polls = countPolls(clock.now);
  t.after(() => polls.close());
  let version = 1;
  const upstream = await startMortalUpstream({
    // Of every second channel the state becomes another one.
    bodyOf: (path) => JSON.stringify({ path, version: isOdd(path) ? version : 1 }),
    now: clock.now,
    answerLater: (callback) => void clock.after(ANSWER_MS, callback),
  });
  t.after(() => upstream.close());
  const proxy = await startTestProxy(
    t,
    {
      site: upstream.url,
      live: { '/state/:number': { every: `${INTERVAL_MS}ms`, vary: [] } },
      limits: { ...LIMITS, streamsPerAddress: SUBSCRIBERS, connectionsPerAddress: SUBSCRIBERS },
    },
    // As Node's timers do: what is left of a time by its fractions is no reason to look again at once.
    { now: clock.now, after: (ms, callback) => clock.after(Math.ceil(ms), callback) },
  );

  async function advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await clock.advance(Math.min(STEP_MS, left));
      await until(() => polls.connecting === 0 && polls.underWay === upstream.waiting);
    }
  }
  const crowd = openCrowd(proxy.port, wishes(), clock.now);
  await crowd.opened;
  t.after(() => crowd.close());
  return {
    clock,
    polls,
    upstream,
    proxy,
    crowd,
    advance,
    changeStates() {
      version += 1;
    },
    /** Have all streams heard this of all of their URLs, by now? Time does not move on. */
    async haveHeard(eventsOf: (url: string) => readonly string[]): Promise<void> {
      const isTold = () =>
        crowd.told.every(({ url, events }) => events.length >= eventsOf(url).length);
      // What has been written is read within a few turns, as all of it is in this process.
      for (let left = READING_TURNS; left > 0 && !isTold(); left--) await setImmediate();
      for (const { url, events } of crowd.told) assert.deepEqual(events, eventsOf(url), url);
      assert.equal(crowd.ended, 0);
    },
  };
}

function isOdd(url: string): boolean {
  return Number(url.split('/').at(-1)) % 2 === 1;
}

/** Streams of either kind, every fourth of them of two URLs. */
function wishes() {
  const url = (number: number) => `/state/${number % CHANNELS}`;
  return Array.from({ length: SUBSCRIBERS }, (_, index) => ({
    transport: index % 3 === 0 ? ('sse' as const) : ('stream' as const),
    urls: index % 4 === 0 ? [url(index), url(index + 7)] : [url(index)],
  }));
}

/** How many of these moments lie in each window of this length. */
function inWindows(moments: readonly number[], lengthMs: number, from: number, to: number) {
  return Array.from({ length: Math.ceil((to - from) / lengthMs) }, (_, index) => {
    const start = from + index * lengthMs;
    return moments.filter((at) => at >= start && at < Math.min(to, start + lengthMs)).length;
  });
}

test('an upstream that is down for a minute is left alone, two thousand streams hear of it once, and it is met by no herd', async (t) => {
  const storm = await setUp(t);
  const { clock, polls, upstream, proxy, crowd } = storm;
  await storm.advance(10_000);
  await storm.haveHeard(() => ['snapshot']);
  const perSecond = (CHANNELS * 1_000) / INTERVAL_MS;
  const before = inWindows(polls.madeAt, 4_000, 6_000, 10_000)[0] ?? Number.NaN;
  assert.ok(Math.abs(before / 4 - perSecond) <= 2, `${before} polls in four seconds`);

  const diedAt = clock.now();
  upstream.die();
  await storm.advance(DOWN_MS);
  await storm.haveHeard(() => ['snapshot', 'stale']);
  const [first = Number.NaN, ...rest] = inWindows(polls.madeAt, 10_000, diedAt, clock.now());
  // Those under way were cut off, and asked once more.
  assert.ok(first <= FAILURES_TO_OPEN + 2 * LIMITS.polls, `${[first, ...rest]}`);
  assert.ok(Math.max(...rest) <= 1, `${[first, ...rest]}, of which 100 would be due`);
  const levels = (pattern: RegExp) => proxy.lines.filter(({ message }) => pattern.test(message));
  assert.equal(levels(/not polled until it answers again/).length, 1);

  storm.changeStates();
  upstream.mostWaiting = 0;
  await upstream.revive();
  const backAt = clock.now();
  const hasNoticed = () => levels(/the upstream answers again/).length > 0;
  while (!hasNoticed() && clock.now() < backAt + 2 * PROBE_PAUSE_MS) await storm.advance(STEP_MS);
  const noticedAt = clock.now();
  assert.ok(hasNoticed() && noticedAt - backAt <= PROBE_PAUSE_MS + ANSWER_MS + 2 * STEP_MS);

  await storm.advance(INTERVAL_MS + QUEUE_MS + ANSWER_MS + 2 * STEP_MS);
  await storm.haveHeard((url) =>
    isOdd(url) ? ['snapshot', 'stale', 'snapshot', 'fresh'] : ['snapshot', 'stale', 'fresh'],
  );
  const spread = Math.max(...crowd.told.map(({ lastAt }) => lastAt)) - noticedAt;
  assert.ok(spread > INTERVAL_MS / 2, `all back within ${spread} ms`);

  await storm.advance(10_000);
  for (const [from, to] of [[0, diedAt] as const, [backAt, clock.now()] as const]) {
    const busiest = Math.max(...inWindows(polls.madeAt, 100, from, to));
    assert.ok(busiest <= MOST_IN_100_MS, `${busiest} within 100 ms`);
  }
  assert.ok(upstream.mostWaiting <= LIMITS.polls, `${upstream.mostWaiting} at once`);
  const usual = inWindows(polls.madeAt, 4_000, clock.now() - 4_000, clock.now())[0] ?? Number.NaN;
  assert.ok(Math.abs(usual / 4 - perSecond) <= 2, `${usual} polls in four seconds`);
  assert.equal(levels(/the upstream answers again/).length, 1);
  assert.equal(crowd.ended, 0);
});
