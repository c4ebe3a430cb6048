/** A timer that has been set. */
export interface Timer {
  /** Make sure that the timer does not fire any more. */
  cancel(): void;
}

/** Time, as the core sees it: tests give another one. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /** Call `callback` once after `delayMs` milliseconds. */
  after(delayMs: number, callback: () => void): Timer;
}

/** Node's monotonic clock and timers. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};
