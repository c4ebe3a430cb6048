import type { Clock, Timer } from '../../src/shared/clock.ts';

/** A clock that stands still until the test moves it, made for tens of thousands of timers. */
export interface BusyClock extends Clock {
  /** Move time on, calling every timer that falls due, in order; promises run in between. */
  advance(ms: number): Promise<void>;
  /** Timers set now. */
  readonly pending: number;
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
  isCancelled: boolean;
}

/** Make a clock that starts at 0. */
export function createBusyClock(): BusyClock {
  const heap = createHeap();
  let now = 0;
  let order = 0;
  let pending = 0;

  return {
    now: () => now,
    after(delayMs, callback): Timer {
      if (!Number.isFinite(delayMs)) throw new Error(`a timer of ${delayMs} ms`);
      const entry = {
        at: now + Math.max(0, delayMs),
        order: order++,
        callback,
        isCancelled: false,
      };
      heap.push(entry);
      pending += 1;
      return {
        cancel() {
          if (entry.isCancelled) return;
          entry.isCancelled = true;
          pending -= 1;
        },
      };
    },
    get pending() {
      return pending;
    },
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve)); // all promises run before it
        const due = heap.pop(end);
        if (!due) break;
        if (due.isCancelled) continue;
        due.isCancelled = true;
        pending -= 1;
        now = due.at;
        due.callback();
      }
      now = end;
    },
  };
}

/** Entries by time; those of the same time as they came. */
function createHeap() {
  const entries: Entry[] = [];
  const isBefore = (a: Entry, b: Entry) => a.at < b.at || (a.at === b.at && a.order < b.order);

  return {
    push(entry: Entry): void {
      let index = entries.push(entry) - 1;
      while (index > 0) {
        const parentIndex = (index - 1) >> 1;
        const parent = entries[parentIndex];
        if (!parent || !isBefore(entry, parent)) break;
        entries[index] = parent;
        index = parentIndex;
      }
      entries[index] = entry;
    },
    /** The first, unless it is due later. */
    pop(latest: number): Entry | undefined {
      const [first] = entries;
      if (!first || first.at > latest) return undefined;
      const last = entries.pop();
      if (last && entries.length > 0) sink(last);
      return first;
    },
  };

  function sink(entry: Entry): void {
    let index = 0;
    for (;;) {
      const left = entries[2 * index + 1];
      const right = entries[2 * index + 2];
      if (!left) break;
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (!isBefore(child, entry)) break;
      entries[index] = child;
      index = 2 * index + (isRight ? 2 : 1);
    }
    entries[index] = entry;
  }
}
