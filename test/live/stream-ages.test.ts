import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamAges } from '../../src/live/stream-ages.ts';
import { createSeededRandom } from '../poll/seeded-random.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const HOUR_MS = 3_600_000;

/** Ages on a clock of the test's own; `ended` is what has become old, with the time. */
function createAges(random: () => number) {
  const clock = createFakeClock();
  const ended: { item: string; atMs: number }[] = [];
  const onOld = (item: string) => ended.push({ item, atMs: clock.now() });
  return { clock, ended, ages: new StreamAges({ clock, random, maxAgeMs: HOUR_MS, onOld }) };
}

test('everything ends between 80 and 100 % of the age', async () => {
  const draws = [0, 0.5, 0.999999];
  const { clock, ended, ages } = createAges(() => draws.shift() ?? 0);
  for (const item of ['first', 'middle', 'last']) ages.add(item);
  await clock.advance(2 * HOUR_MS);
  assert.deepEqual(
    ended.map(({ item, atMs }) => [item, Math.round(atMs / 1_000)]),
    [
      ['first', 2_880],
      ['middle', 3_240],
      ['last', 3_600],
    ],
  );
});

test('many that began together end at moments of their own, by one timer', async () => {
  const { clock, ended, ages } = createAges(createSeededRandom(1));
  const count = 10_000;
  for (let i = 0; i < count; i++) ages.add(String(i));
  assert.equal(clock.pending, 1);
  await clock.advance(HOUR_MS + 1_000);
  assert.equal(ended.length, count);
  const bySecond = new Map<number, number>();
  for (const { atMs } of ended) {
    const second = Math.floor(atMs / 1_000);
    bySecond.set(second, (bySecond.get(second) ?? 0) + 1);
  }
  // 10,000 over 720 seconds are 14 a second.
  assert.ok(Math.max(...bySecond.values()) < 60, String(Math.max(...bySecond.values())));
});

test('none ends later than a second after its time, whatever came in between', async () => {
  const random = createSeededRandom(2);
  const draws = new Map<string, number>();
  let draw = 0;
  const { clock, ended, ages } = createAges(() => draw);
  for (let i = 0; i < 500; i++) {
    draw = random();
    draws.set(String(i), clock.now() + HOUR_MS * (0.8 + 0.2 * draw));
    ages.add(String(i));
    await clock.advance(random() * 20_000);
  }
  await clock.advance(HOUR_MS + 1_000);
  assert.equal(ended.length, 500);
  for (const { item, atMs } of ended) {
    const lateMs = atMs - (draws.get(item) ?? 0);
    assert.ok(lateMs > -1 && lateMs <= 1_000, `${item} was ${lateMs} ms late`);
  }
});

test('what is over before does not end again, and with the last one the timer goes', async () => {
  const { clock, ended, ages } = createAges(() => 0);
  ages.add('a');
  ages.add('b');
  ages.remove('a');
  assert.equal(clock.pending, 1);
  ages.remove('b');
  assert.equal(clock.pending, 0);
  await clock.advance(HOUR_MS);
  assert.deepEqual(ended, []);
  ages.add('c');
  await clock.advance(HOUR_MS);
  assert.equal(ended.length, 1);
  assert.equal(clock.pending, 0);
});
