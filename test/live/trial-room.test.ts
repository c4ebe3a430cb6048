import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrialRoom } from '../../src/live/trial-room.ts';

/** A room whose clock goes on when the test says so. */
function scene() {
  let now = 0;
  const clock = { now: () => now, after: () => ({ cancel: () => undefined }) };
  const pass = (ms: number) => {
    now += ms;
  };
  return { room: new TrialRoom(clock), pass };
}

test('comparing takes a tenth of the time in the long run', () => {
  const { room, pass } = scene();
  let worked = 0;
  let rested = 0;
  while (worked + rested < 200_000) {
    room.work(() => {
      worked += 50;
      pass(50);
    });
    rested += 50;
    pass(50);
  }
  assert.ok(worked >= 20_000 && worked <= 21_100, `${worked} ms of 200 s`);
});

test('what is seldom is always done, and its result is given', () => {
  const { room, pass } = scene();
  for (let i = 0; i < 100; i++) {
    assert.deepEqual(
      room.work(() => {
        pass(90);
        return i;
      }),
      { result: i },
    );
    pass(1_000);
  }
});

test('a rest is not saved up for more than a second of work', () => {
  const { room, pass } = scene();
  pass(1e9);
  let done = 0;
  while (room.work(() => pass(100)) && done < 1_000) done += 1;
  assert.ok(done >= 10 && done <= 12, `${done}`);
});

test('work that fails counts as well, and fails for who wanted it', () => {
  const { room, pass } = scene();
  assert.throws(() =>
    room.work(() => {
      pass(2_000);
      throw new Error('on purpose');
    }),
  );
  assert.equal(
    room.work(() => 1),
    undefined,
  );
});

test('places that are left can be taken again', () => {
  const { room } = scene();
  let taken = 0;
  while (room.take('unpacking')) taken += 1;
  assert.equal(taken, 4);
  room.leave('unpacking', 2);
  assert.deepEqual(
    [room.take('unpacking'), room.take('unpacking'), room.take('unpacking')],
    [true, true, false],
  );
});
