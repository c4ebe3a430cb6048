/** Wall time and timers that stand still until a test moves them. */
export interface FakeTime {
  now(): number;
  after(delayMs: number, callback: () => void): () => void;
  /** Move time on, calling every timer that falls due, in order. */
  advance(ms: number): Promise<void>;
  /** Move the wall clock alone, as it is for a computer that sleeps. */
  sleep(ms: number): void;
  /** Let everything happen that needs no time. */
  settle(): Promise<void>;
}

/** Begin at a moment that is not 0, as wall clocks do. */
export function createFakeTime(): FakeTime {
  let now = 0;
  let wallMs = 1_700_000_000_000;
  let order = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();

  const turn = async () => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };

  async function runUntil(end: number): Promise<void> {
    for (;;) {
      await turn();
      const [due] = [...timers]
        .filter(([, { at }]) => at <= end)
        .sort(([a, left], [b, right]) => left.at - right.at || a - b);
      if (!due) return;
      const [id, { at, callback }] = due;
      timers.delete(id);
      now = Math.max(now, at);
      callback();
    }
  }

  return {
    now: () => wallMs + now,
    after(delayMs, callback) {
      const id = order++;
      timers.set(id, { at: now + Math.max(0, delayMs), callback });
      return () => void timers.delete(id);
    },
    async advance(ms) {
      const end = now + ms;
      await runUntil(end);
      now = end;
    },
    sleep(ms) {
      wallMs += ms;
    },
    settle: () => runUntil(now),
  };
}
