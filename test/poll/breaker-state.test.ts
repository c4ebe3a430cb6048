import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BreakerState, Failure, HalfOpen, Open, Scene } from '../../src/poll/breaker-state.ts';
import {
  afterFailure,
  afterProbe,
  afterSuccess,
  initialState,
} from '../../src/poll/breaker-state.ts';

/** So many channels, all with the same interval. */
function crowd(members: number, everyMs = 2_000): Pick<Scene, 'members' | 'load'> {
  const load = { fastestMs: everyMs, pollsPerSecond: (members * 1_000) / everyMs };
  return { members, load: () => load };
}

const at = (now: number, rest: Partial<Scene> = {}): Scene => ({
  now,
  random: 0.5,
  ...crowd(1),
  ...rest,
});

const CHANNELS = Array.from({ length: 10 }, (_, index) => ({ index }));

const failure = (channel: number, rest: Partial<Failure> = {}): Failure => ({
  by: CHANNELS[channel] ?? {},
  isDown: true,
  retryAfterMs: 0,
  ...rest,
});

/** How many failures in a row it takes to open, with the channels taking turns. */
function failuresToOpen(scene: Scene, isDown: boolean, channels = scene.members): number {
  let state: BreakerState = initialState;
  for (let count = 1; count <= 50; count++) {
    state = afterFailure(state, failure(count % Math.min(10, channels), { isDown }), scene);
    if (state.phase === 'open') return count;
  }
  return Number.POSITIVE_INFINITY;
}

/** A state that has just been opened. */
function openedAt(
  now: number,
  rest: Partial<Failure> = {},
  scene: Partial<Scene> = {},
  closed: BreakerState = initialState,
): Open {
  let state = closed;
  for (let count = 0; state.phase !== 'open' && count < 10; count++) {
    state = afterFailure(state, failure(count, rest), at(now, scene));
  }
  assert.ok(state.phase === 'open');
  return state;
}

/** The trial after a probe, by the channel 0. */
function tried(state: Open, scene: Scene, isGood = true): BreakerState {
  const next = afterProbe(state, isGood, scene);
  return next.phase === 'half-open' ? { ...next, owner: CHANNELS[0] } : next;
}

/** The pauses before trials that all fail. */
function trialPauses(count: number, scene: Partial<Scene>, isDown = false): number[] {
  let state = openedAt(0, { isDown }, scene);
  return Array.from({ length: count }, () => {
    const now = state.probeAt;
    const next = afterFailure(tried(state, at(now, scene)), failure(0, { isDown }), at(now, scene));
    assert.ok(next.phase === 'open');
    state = next;
    return state.probeAt - now;
  });
}

test('without connections it opens after as many failures in a row as there are channels, five at most', () => {
  const counts = [1, 2, 3, 4, 5, 6, 2_000].map((members) =>
    failuresToOpen(at(0, crowd(members)), true),
  );
  assert.deepEqual(counts, [2, 2, 3, 4, 5, 5, 5]);
});

test('a channel that polls a thousand times as often as the others counts as one alone', () => {
  const load = { fastestMs: 1_000, pollsPerSecond: 1 + 4 / 1_000 };
  assert.equal(failuresToOpen(at(0, { members: 5, load: () => load }), true), 2);
});

test('without good answers it opens after three failures in a row at least', () => {
  const counts = [1, 2, 3, 4, 5, 6, 2_000].map((members) =>
    failuresToOpen(at(0, crowd(members)), false),
  );
  assert.deepEqual(counts, [3, 3, 3, 4, 5, 5, 5]);
});

test('a resource that is broken or slow for itself never opens it', () => {
  assert.equal(failuresToOpen(at(0, crowd(2)), false, 1), Number.POSITIVE_INFINITY);
  assert.equal(failuresToOpen(at(0, crowd(2_000)), false, 4), Number.POSITIVE_INFINITY);
});

test('one success begins the count again', () => {
  let state: BreakerState = initialState;
  for (let count = 0; count < 20; count++) {
    for (const channel of [0, 1, 2, 3])
      state = afterFailure(state, failure(channel), at(0, crowd(9)));
    assert.equal(state.phase, 'closed');
    state = afterSuccess(state, 0);
  }
});

test('single failures while all is well do not make the next outage look like one after another', () => {
  const closed = afterSuccess(openedAt(0), 1_000);
  const hiccup = afterFailure(closed, failure(0), at(59_000, crowd(5)));
  const well = afterSuccess(hiccup, 60_000);
  assert.equal(openedAt(60_000, {}, crowd(5), well).probeAt, 61_000);
});

test('a success while all is well changes nothing', () => {
  assert.equal(afterSuccess(initialState, 5), initialState);
});

test('probes come after about a second, then more and more slowly, but within two', () => {
  let state = openedAt(0);
  assert.equal(state.probeAt, 1_000);
  const pauses = Array.from({ length: 6 }, () => {
    const now = state.probeAt;
    const next = afterProbe(state, false, at(now));
    assert.ok(next.phase === 'open');
    state = next;
    return Math.round(state.probeAt - now);
  });
  assert.deepEqual(pauses, [1_000, 1_300, 1_690, 1_700, 1_700, 1_700]);
});

test('probes for channels with a long interval become rarer', () => {
  const scene = crowd(1, 600_000);
  let state = openedAt(0, {}, scene);
  const pauses: number[] = [];
  for (let next: BreakerState = state; next.phase === 'open' && pauses.length < 12; ) {
    const now = next.probeAt;
    next = afterProbe({ ...next, trialAt: Number.POSITIVE_INFINITY }, false, at(now, scene));
    assert.ok(next.phase === 'open');
    state = next;
    pauses.push(state.probeAt - now);
  }
  assert.equal(pauses.at(-1), 15_000);
});

test('pauses vary by fifteen percent in both directions', () => {
  assert.equal(openedAt(0, {}, { random: 0 }).probeAt, 850);
  assert.ok(Math.abs(openedAt(0, {}, { random: 1 - Number.EPSILON }).probeAt - 1_150) < 1e-6);
});

test('a probe that succeeds lets a trial through', () => {
  const state = afterProbe(openedAt(0), true, at(1_000));
  assert.ok(state.phase === 'half-open');
  assert.equal(state.owner, undefined);
});

test('where probes fail for a reason of their own, a trial is let through after half a minute', () => {
  let state: BreakerState = openedAt(0);
  let now = 0;
  while (state.phase === 'open') {
    now = state.probeAt;
    state = afterProbe(state, false, at(now));
  }
  assert.ok(now >= 30_000 && now < 33_000, `at ${now}`);
});

test('a trial that fails without a connection, as the probes did, is followed by probes again', () => {
  const opened = openedAt(0);
  const now = opened.trialAt;
  const state = afterFailure(tried(opened, at(now), false), failure(0), at(now));
  assert.ok(state.phase === 'open');
  assert.equal(state.probeAt, now + 1_000);
  assert.equal(state.trialAt, now + 31_000);
});

test('trials that fail as the probes did do not make later pauses longer', () => {
  let opened = openedAt(0);
  for (let count = 0; count < 5; count++) {
    const now = opened.trialAt;
    const state = afterFailure(tried(opened, at(now), false), failure(0), at(now));
    assert.ok(state.phase === 'open');
    opened = state;
  }
  const now = opened.probeAt;
  const state = afterFailure(tried(opened, at(now)), failure(0), at(now));
  assert.ok(state.phase === 'open');
  assert.equal(state.probeAt, now + 4_000);
});

test('pauses between trials of one channel double from its interval up to half a minute', () => {
  const expected = [4_000, 8_000, 16_000, 30_000, 30_000, 30_000];
  assert.deepEqual(trialPauses(6, crowd(1)), expected);
  // Such as TLS that is refused: the probe succeeds, so the pauses must make it decay.
  assert.deepEqual(trialPauses(6, crowd(1), true), expected);
});

test('the more polls wait for an upstream, the sooner it is tried, but not within an interval', () => {
  const pauseOf = (members: number, everyMs = 2_000) =>
    trialPauses(9, crowd(members, everyMs)).at(-1);
  assert.deepEqual(
    [1, 10, 20, 50, 2_000].map((members) => pauseOf(members)),
    [30_000, 10_000, 5_000, 2_000, 2_000],
  );
  assert.equal(pauseOf(2_000, 250), 1_000, 'never more than once a second');
  assert.equal(pauseOf(1, 600_000), 600_000, 'never more often than it is polled');
});

test('a poll that was sent before it opened neither ends a trial nor opens it again', () => {
  const halfOpen = tried(openedAt(0), at(1_000));
  assert.equal(afterFailure(halfOpen, failure(7), at(1_001)), halfOpen);
  const untaken = afterProbe(openedAt(0), true, at(1_000));
  assert.equal(afterFailure(untaken, failure(7), at(1_001)), untaken);
});

test('any success closes it, whosever and whenever it was sent', () => {
  for (const state of [openedAt(0), tried(openedAt(0), at(1_000))]) {
    assert.equal(afterSuccess(state, 1_500).phase, 'closed');
  }
});

test('it does not probe before Retry-After is over', () => {
  const opened = openedAt(0, { isDown: false, retryAfterMs: 30_000 });
  assert.equal(opened.probeAt, 30_000);
  const later = afterFailure(opened, failure(9, { retryAfterMs: 60_000 }), at(1_000));
  assert.ok(later.phase === 'open');
  assert.equal(later.probeAt, 61_000);
  assert.ok(later.trialAt >= 61_000);
  assert.equal(afterFailure(later, failure(9, { retryAfterMs: 5_000 }), at(1_000)), later);
  assert.equal(afterFailure(later, failure(9), at(1_000)), later);
});

test('a trial that is answered with Retry-After is followed by that pause', () => {
  const told = failure(0, { isDown: false, retryAfterMs: 45_000 });
  const state = afterFailure(tried(openedAt(0), at(1_000)), told, at(1_000));
  assert.ok(state.phase === 'open');
  assert.equal(state.probeAt, 46_000);
});

for (const isDown of [true, false]) {
  const trouble = isDown ? 'takes no connections' : 'fails';
  test(`an upstream that ${trouble} again soon after each recovery is left alone for longer each time`, () => {
    const scene = crowd(2_000);
    const kinds = { isDown };
    let closed: BreakerState = initialState;
    let now = 60_000;
    const pauseAfterClosing = (forMs: number) => {
      now += forMs;
      const opened = openedAt(now, kinds, scene, closed);
      const pause = opened.probeAt - now;
      now = opened.probeAt;
      closed = afterSuccess(tried(opened, at(now, scene)), now);
      return pause;
    };
    const first = isDown ? 1_000 : 2_000;
    assert.equal(pauseAfterClosing(0), first);
    const pauses = Array.from({ length: 5 }, () => pauseAfterClosing(9_000));
    assert.deepEqual(pauses, [4_000, 8_000, 16_000, 30_000, 30_000]);
    assert.equal(pauseAfterClosing(10_000), first, 'it has held for long enough');
  });
}

test('while it is not closed, the next probe is ahead, and the state is one of three', () => {
  const event = fc.oneof(
    fc.record({ kind: fc.constant('up' as const) }),
    fc.record({
      kind: fc.constant('failure' as const),
      by: fc.nat(9),
      isDown: fc.boolean(),
      retryAfterMs: fc.constantFrom(0, 0, 0, 5_000, 600_000),
    }),
    fc.record({ kind: fc.constant('probe' as const), isGood: fc.boolean() }),
    fc.record({ kind: fc.constant('poll' as const), by: fc.nat(9) }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(20_000)), { maxLength: 100 }), (steps) => {
      let state: BreakerState = initialState;
      let now = 0;
      for (const [step, pause] of steps) {
        now += pause;
        const scene = at(now, crowd(10));
        if (step.kind === 'up') state = afterSuccess(state, now);
        else if (step.kind === 'failure') {
          const { by, isDown, retryAfterMs } = step;
          state = afterFailure(state, failure(by, { isDown, retryAfterMs }), scene);
        } else if (step.kind === 'probe') {
          if (state.phase === 'open') state = afterProbe(state, step.isGood, scene);
        } else if (state.phase === 'half-open' && !state.owner) {
          const trial: HalfOpen = { ...state, owner: CHANNELS[step.by] };
          state = trial;
        }
        if (state.phase === 'closed') assert.ok(state.failing.length <= 5);
        if (state.phase !== 'open') continue;
        assert.ok(state.trialAt >= state.probeAt);
        assert.ok(Number.isFinite(state.probeAt) && state.probePauseMs >= 1_000);
        assert.ok(state.probeAt - now <= 600_000);
      }
    }),
  );
});
