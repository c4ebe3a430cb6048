import { keys } from './browser.ts';

/** A timer of the page that has led to polls. */
export interface PollTimer {
  readonly run: unknown;
  readonly delayMs: number;
}

/** The page's timers. */
export interface Timers {
  /** The timer that is running now, or whose promises are. */
  readonly current: PollTimer | undefined;
  /** There is news for what this timer polls: let those that wait to do the same do it now. */
  hurry(timer: PollTimer): void;
}

interface Waiting extends PollTimer {
  readonly call: () => void;
  isOver: boolean;
  isQueued: boolean;
  /** An interval has been called out of turn: its next turn is not. */
  skips: boolean;
  /** The timer that announces it. */
  before?: number;
}

type Timer = (run: unknown, delayMs?: number, ...args: unknown[]) => number;

/** Shorter ones are animations, not polls. */
const SHORTEST_POLL_MS = 200;
/** How many promises deep a poll may be behind its timer. */
const PROMISES = 4;

/**
 * Put ourselves before the page's timers, so that those which poll can be told of news at once: a
 * page that looks every five seconds would show it that much later.
 *
 * @param isNeedless - Told of a timer that would load the page again: true if that need not be.
 */
export function watchTimers(
  window: Window & typeof globalThis,
  isNeedless: (delayMs: number) => boolean,
): Timers {
  const waiting: Record<number, Waiting> = {};
  let current: PollTimer | undefined;
  const soon = window.setTimeout;

  function enter(timer: PollTimer): void {
    current = timer;
    let left = PROMISES;
    const leave = (): void => {
      if (current !== timer) return;
      if (left-- > 0 && window.Promise) window.Promise.resolve().then(leave);
      else current = undefined;
    };
    leave();
  }

  /** What is written as a text only the browser may run. */
  function announce(timer: PollTimer): void {
    current = timer;
    soon.call(window, () => {
      if (current === timer) current = undefined;
    });
  }

  function wrap(name: 'setTimeout' | 'setInterval', isOnce: boolean): void {
    const native = window[name] as unknown as Timer;
    const wrapped: Timer = (given, delayMs = 0, ...args) => {
      const reloads = delayMs >= SHORTEST_POLL_MS && RELOADS.test(String(given));
      const isText = typeof given === 'string';
      const run = reloads && isText ? () => window.location.reload() : given;
      if (!(delayMs >= SHORTEST_POLL_MS)) return native.call(window, run, delayMs, ...args);
      if (typeof run !== 'function') return setText(String(run), delayMs);
      const timer = waitingFor(run, delayMs, () => {
        if (isOnce) forget(id);
        enter(timer);
        if (!reloads || !isNeedless(delayMs)) run.apply(window, args);
      });
      const turn = () => {
        if (timer.skips) timer.skips = false;
        else timer.call();
      };
      const id = native.call(window, turn, delayMs);
      waiting[id] = timer;
      return id;
    };
    const setText = (run: string, delayMs: number): number => {
      const timer = waitingFor(run, delayMs, () => {
        if (isOnce) window.clearTimeout(id);
        announce(timer);
        soon.call(window, run);
      });
      // Of two timers with one delay the first comes first.
      const before = native.call(window, () => announce(timer), delayMs);
      const id = native.call(window, run, delayMs);
      timer.before = before;
      waiting[id] = timer;
      return id;
    };
    (window as unknown as Record<string, unknown>)[name] = wrapped;
  }

  function forget(id: number): void {
    const timer = waiting[id];
    if (timer) timer.isOver = true;
    delete waiting[id];
  }

  wrap('setTimeout', true);
  wrap('setInterval', false);
  for (const name of ['clearTimeout', 'clearInterval'] as const) {
    const native = window[name];
    window[name] = (id) => {
      const timer = waiting[id as number];
      if (timer) native.call(window, timer.before);
      forget(id as number);
      native.call(window, id);
    };
  }

  return {
    get current() {
      return current;
    },
    hurry(learned) {
      for (const id of keys(waiting)) {
        const timer = waiting[Number(id)];
        if (!timer || timer.isQueued || !isSameTimer(timer, learned)) continue;
        timer.isQueued = timer.skips = true;
        soon.call(window, timer.call);
      }
    },
  };
}

/** A timer that was set just now. @param act - What it does, unless it is over by then. */
function waitingFor(run: unknown, delayMs: number, act: () => void): Waiting {
  const timer: Waiting = {
    run,
    delayMs,
    isOver: false,
    isQueued: false,
    skips: false,
    call() {
      timer.isQueued = false;
      if (!timer.isOver) act();
    },
  };
  return timer;
}

/** Of a timer that loads its page again. */
const RELOADS =
  /\blocation\s*\.\s*reload\s*\(|\blocation(?:\s*\.\s*href)?\s*=\s*(?:\w+\s*\.\s*)?location\b|\bhistory\s*\.\s*go\s*\(\s*0?\s*\)/;

/** Pages set a new timer each time, often with a function made anew. */
export function isSameTimer(a: PollTimer, b: PollTimer): boolean {
  return a.delayMs === b.delayMs && (a.run === b.run || String(a.run) === String(b.run));
}
