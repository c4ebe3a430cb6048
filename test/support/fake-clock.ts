import type { Clock } from '../../src/shared/clock.ts';

/** A clock that stands still until the test moves it. */
export interface FakeClock extends Clock {
  /** Move time on, calling every timer that falls due, in order. */
  advance(ms: number): Promise<void>;
  /** Timers set now. */
  readonly pending: number;
}

/** Make a clock that starts at 0. */
export function createFakeClock(): FakeClock {
  let now = 0;
  let order = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();

  /** Let promises that hang on what just happened run: several turns, they are chained. */
  async function settle(): Promise<void> {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }

  return {
    now: () => now,
    after(delayMs, callback) {
      const id = order++;
      timers.set(id, { at: now + Math.max(0, delayMs), callback });
      return { cancel: () => void timers.delete(id) };
    },
    get pending() {
      return timers.size;
    },
    async advance(ms) {
      const end = now + ms;
      await settle();
      for (;;) {
        const due = [...timers]
          .filter(([, timer]) => timer.at <= end)
          .sort(([a, left], [b, right]) => left.at - right.at || a - b)[0];
        if (!due) break;
        const [id, timer] = due;
        timers.delete(id);
        now = timer.at;
        timer.callback();
        await settle();
      }
      now = end;
      await settle();
    },
  };
}
