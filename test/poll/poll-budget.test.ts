import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import type { PollBudgetOptions, Release } from '../../src/poll/poll-budget.ts';
import { createPollBudget } from '../../src/poll/poll-budget.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const NEVER = new AbortController().signal;

/** A budget, and takers that note when they got their place. */
function setUp(options: Partial<PollBudgetOptions> = {}) {
  const clock = createFakeClock();
  const budget = createPollBudget({
    clock,
    maxConcurrent: 2,
    maxPerSecond: 1_000,
    burst: 1_000,
    ...options,
  });
  const got: { readonly name: string; readonly at: number; readonly release: Release }[] = [];
  async function take(name: string, signal: AbortSignal = NEVER): Promise<void> {
    const release = await budget.take(signal);
    got.push({ name, at: clock.now(), release });
  }
  const names = () => got.map(({ name }) => name);
  const times = () => got.map(({ at }) => at);
  return { clock, budget, got, take, names, times };
}

test('as many polls as are allowed get a place at once, and further ones wait', async () => {
  const { clock, budget, take, names } = setUp();
  for (const name of ['a', 'b', 'c']) void take(name);
  await clock.advance(60_000);
  assert.deepEqual(names(), ['a', 'b']);
  assert.equal(budget.taken, 2);
  assert.equal(budget.waiting, 1);
});

test('a place that is released goes to the one who has waited longest', async () => {
  const { clock, got, take, names } = setUp({ maxConcurrent: 1 });
  for (const name of ['a', 'b', 'c', 'd']) void take(name);
  await clock.advance(0);
  for (let index = 0; index < 4; index++) {
    got[index]?.release();
    await clock.advance(0);
  }
  assert.deepEqual(names(), ['a', 'b', 'c', 'd']);
});

test('one who polls again and again gets one turn for each turn of the others', async () => {
  const { clock, got, take, names } = setUp({ maxConcurrent: 1 });
  for (const name of ['fast', 'b', 'c']) void take(name);
  await clock.advance(0);
  for (let index = 0; index < 9; index++) {
    const { name = '', release } = got[index] ?? {};
    release?.();
    void take(name); // it stands in the line again
    await clock.advance(0);
  }
  assert.equal(names().slice(0, 9).join(' '), 'fast b c fast b c fast b c');
});

test('a place is released once, however often that is said', async () => {
  const { clock, budget, got, take } = setUp({ maxConcurrent: 1 });
  void take('a');
  await clock.advance(0);
  got[0]?.release();
  got[0]?.release();
  assert.equal(budget.taken, 0);
  void take('b');
  got[0]?.release();
  assert.equal(budget.taken, 1);
});

test('polls beyond the rate are sent at the rate', async () => {
  const { clock, take, times } = setUp({ maxConcurrent: 100, maxPerSecond: 10, burst: 3 });
  for (let index = 0; index < 6; index++) void take(`${index}`);
  await clock.advance(10_000);
  assert.deepEqual(times(), [0, 0, 0, 100, 200, 300]);
});

test('in the long run there are no more polls than the rate and one burst', async () => {
  for (const maxPerSecond of [7, 30, 200, 3_000]) {
    const { clock, take, got, times } = setUp({ maxConcurrent: 5_000, maxPerSecond, burst: 5 });
    const count = Math.min(maxPerSecond, 200);
    for (let index = 0; index < 5 + count; index++) void take(`${index}`);
    await clock.advance((count / maxPerSecond) * 1_000 + 2);
    assert.equal(got.length, 5 + count, 'none is lost by rounding');
    times().forEach((at, index) => {
      assert.ok(index + 1 <= 5 + (at / 1_000) * maxPerSecond + 1e-3, `number ${index} at ${at}`);
    });
  }
});

test('what is not used is saved up to the burst and no further', async () => {
  const { clock, take, times } = setUp({ maxConcurrent: 100, maxPerSecond: 10, burst: 2 });
  await clock.advance(60_000);
  for (let index = 0; index < 4; index++) void take(`${index}`);
  await clock.advance(1_000);
  assert.deepEqual(times(), [60_000, 60_000, 60_100, 60_200]);
});

test('the burst is a tenth of a second unless it is given, and one poll at least', () => {
  const clock = createFakeClock();
  const burstOf = (maxPerSecond: number) => {
    const budget = createPollBudget({ clock, maxConcurrent: 1_000, maxPerSecond });
    let count = 0;
    while (budget.tryTake()) count += 1;
    return count;
  };
  assert.deepEqual([200, 10, 2, 0.1].map(burstOf), [20, 1, 1, 1]);
});

test('a rate of less than one a second is kept as well', async () => {
  const { clock, take, times } = setUp({ maxConcurrent: 9, maxPerSecond: 0.5, burst: 1 });
  for (let index = 0; index < 3; index++) void take(`${index}`);
  await clock.advance(10_000);
  assert.deepEqual(times(), [0, 2_000, 4_000]);
});

test('the fast path sets no timer', async () => {
  const { clock, budget, take } = setUp();
  budget.tryTake()?.();
  await take('a');
  assert.equal(clock.pending, 0);
});

test('the line has one timer, however long it is, and none while it waits for a place only', async () => {
  const { clock, budget, got, take } = setUp({ maxConcurrent: 100, maxPerSecond: 10, burst: 1 });
  for (let index = 0; index < 50; index++) void take(`${index}`);
  await clock.advance(0);
  assert.equal(clock.pending, 1);
  await clock.advance(5_000);
  assert.equal(got.length, 50);
  assert.equal(clock.pending, 0);

  const narrow = createPollBudget({ clock, maxConcurrent: 1, maxPerSecond: 10, burst: 5 });
  const release = narrow.tryTake();
  void narrow.take(NEVER);
  assert.equal(clock.pending, 0);
  release?.();
  assert.equal(narrow.taken, 1);
  assert.equal(budget.waiting, 0);
});

test('nobody passes the line: with others waiting there is no place now', async () => {
  const { clock, budget, got, take } = setUp({ maxConcurrent: 2, maxPerSecond: 10, burst: 1 });
  void take('a');
  void take('b'); // waits for a token
  await clock.advance(99.5);
  assert.equal(budget.tryTake(), undefined);
  await clock.advance(1);
  assert.equal(got.length, 2);
});

test('nobody passes the line either when its timer is late', async () => {
  let now = 0;
  const late = { now: () => now, after: () => ({ cancel: () => undefined }) };
  const budget = createPollBudget({ clock: late, maxConcurrent: 9, maxPerSecond: 1, burst: 1 });
  assert.ok(budget.tryTake());
  void budget.take(NEVER);
  now = 60_000;
  assert.equal(budget.tryTake(), undefined);
});

test('half a token is none', async () => {
  const { clock, budget } = setUp({ maxPerSecond: 1, burst: 1 });
  budget.tryTake()?.();
  await clock.advance(999);
  assert.equal(budget.tryTake(), undefined);
  await clock.advance(1);
  assert.ok(budget.tryTake());
});

test('a poll that is given up leaves the line, and the others keep their order', async () => {
  const { clock, budget, got, take, names } = setUp({ maxConcurrent: 1 });
  const abort = { b: new AbortController(), d: new AbortController() };
  void take('a');
  const reason = new Error('nobody wants it');
  const gone = assert.rejects(take('b', abort.b.signal), reason);
  void take('c');
  const goneToo = assert.rejects(take('d', abort.d.signal), reason);
  await clock.advance(0);
  abort.b.abort(reason);
  abort.d.abort(reason);
  await Promise.all([gone, goneToo]);
  assert.equal(budget.waiting, 1);
  got[0]?.release();
  await clock.advance(0);
  assert.deepEqual(names(), ['a', 'c']);
  assert.equal(budget.waiting, 0);
});

test('a poll that was given up before it asked does not stand in line', async () => {
  const { budget } = setUp();
  const reason = new Error('too late');
  await assert.rejects(budget.take(AbortSignal.abort(reason)), reason);
  assert.deepEqual([budget.taken, budget.waiting], [0, 0]);
});

test('a line that everybody has left leaves no timer', async () => {
  const { clock, budget, take } = setUp({ maxConcurrent: 9, maxPerSecond: 1, burst: 1 });
  void take('a');
  const abort = new AbortController();
  const gone = Promise.all(['b', 'c'].map((name) => assert.rejects(take(name, abort.signal))));
  await clock.advance(0);
  assert.equal(clock.pending, 1);
  abort.abort();
  await gone;
  assert.equal(budget.waiting, 0);
  assert.equal(clock.pending, 0);
});

test('no listener is left on a signal, whether the poll got its place or not', async () => {
  const { clock, got, take } = setUp({ maxConcurrent: 1 });
  const { signal } = new AbortController();
  const abort = new AbortController();
  void take('a', signal);
  void take('b', signal);
  const gone = assert.rejects(take('c', abort.signal));
  await clock.advance(0);
  assert.equal(getEventListeners(signal, 'abort').length, 1);
  got[0]?.release();
  abort.abort();
  await gone;
  await clock.advance(0);
  assert.equal(got.length, 2);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  assert.equal(getEventListeners(abort.signal, 'abort').length, 0);
});

test('a signal that aborts after the place was given takes nothing back: it is to be released', async () => {
  const { clock, budget, got, take } = setUp({ maxConcurrent: 1 });
  const abort = new AbortController();
  void take('a');
  void take('b', abort.signal);
  await clock.advance(0);
  got[0]?.release(); // the place is b's from here on
  abort.abort();
  await clock.advance(0);
  assert.equal(budget.taken, 1);
  got[1]?.release();
  assert.equal(budget.taken, 0);
});

test('what was not used does not count toward the rate', async () => {
  const { clock, budget, take, names } = setUp({ maxConcurrent: 1, maxPerSecond: 1, burst: 1 });
  const release = budget.tryTake();
  void take('next');
  release?.('unused');
  await clock.advance(0);
  assert.deepEqual(names(), ['next']);
});

test('a line of which nobody uses the place is gone at once', async () => {
  const { clock, budget } = setUp({ maxConcurrent: 1, maxPerSecond: 1, burst: 1 });
  const first = budget.tryTake();
  const refused = Array.from({ length: 500 }, async () => (await budget.take(NEVER))('unused'));
  first?.('unused');
  await Promise.all(refused);
  assert.deepEqual([budget.taken, budget.waiting, clock.now()], [0, 0, 0]);
  assert.ok(budget.tryTake());
});

test('tokens given back do not exceed the burst', async () => {
  const { clock, budget } = setUp({ maxConcurrent: 100, maxPerSecond: 1, burst: 2 });
  const releases = [budget.tryTake(), budget.tryTake()];
  for (const release of [...releases, ...releases]) release?.('unused');
  await clock.advance(2_000);
  assert.ok(budget.tryTake() && budget.tryTake());
  assert.equal(budget.tryTake(), undefined);
});

test('a slow upstream keeps only its own polls waiting', async () => {
  const slow = setUp({ maxConcurrent: 1 });
  const other = createPollBudget({ clock: slow.clock, maxConcurrent: 1, maxPerSecond: 10 });
  void slow.take('never ends');
  void slow.take('waits');
  await slow.clock.advance(60_000);
  assert.deepEqual(slow.names(), ['never ends']);
  assert.ok(other.tryTake());
});

test('polls that wait are not under way: never more than are allowed at once', async () => {
  const { clock, budget, take, got } = setUp({ maxConcurrent: 3, maxPerSecond: 50, burst: 5 });
  for (let index = 0; index < 60; index++) void take(`${index}`);
  let released = 0;
  for (let step = 0; step < 400; step++) {
    await clock.advance(7);
    assert.ok(budget.taken <= 3);
    assert.equal(budget.taken, got.length - released);
    if (step % 3 === 0) got[released]?.release();
    if (step % 3 === 0 && released < got.length) released += 1;
  }
  assert.equal(got.length, 60);
});

test('ten thousand may wait and leave without a search through the line', async () => {
  const { clock, budget } = setUp({ maxConcurrent: 1 });
  const release = budget.tryTake();
  const aborts = Array.from({ length: 10_000 }, () => new AbortController());
  const polls = aborts.map(({ signal }) => budget.take(signal).catch(() => 'gone'));
  for (const abort of aborts.slice(1).reverse()) abort.abort();
  assert.equal(budget.waiting, 1);
  release?.();
  await clock.advance(0);
  const answers = await Promise.all(polls);
  assert.equal(typeof answers[0], 'function');
  assert.ok(answers.slice(1).every((answer) => answer === 'gone'));
});
