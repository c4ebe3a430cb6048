import type { Clock, Timer } from '../shared/clock.ts';

/** What a poll budget goes by. */
export interface PollBudgetOptions {
  readonly clock: Clock;
  /** Polls that may be under way at once. */
  readonly maxConcurrent: number;
  /** Polls that may be sent in a second, in the long run. */
  readonly maxPerSecond: number;
  /**
   * Polls that may be sent together after a rest.
   *
   * @default a tenth of `maxPerSecond`, at least 1
   */
  readonly burst?: number;
}

/**
 * Give back the place of a poll that has ended. A second call does nothing.
 *
 * @param use - `unused` when nothing was sent: then it does not count toward the rate either.
 */
export type Release = (use?: 'unused') => void;

/**
 * What one upstream may be asked: so many polls at once, so many a second.
 *
 * Polls beyond it wait in one line, first come, first served. A channel polls again only when its
 * poll before has ended, so it stands in the line once at most: each channel gets its turn before
 * another gets two. Every upstream has a budget of its own, so a slow one keeps only its own
 * channels waiting.
 */
export interface PollBudget {
  /** A place now; `undefined` when there is none, or when others wait for it. */
  tryTake(): Release | undefined;
  /**
   * A place as soon as it is there. The caller must release it, also when it has lost interest.
   *
   * @throws the signal's reason when it aborts first.
   */
  take(signal: AbortSignal): Promise<Release>;
  /** Polls under way. */
  readonly taken: number;
  /** Polls that wait. */
  readonly waiting: number;
}

/** Fractions that calculation has lost must not keep the line from moving. */
const ALMOST_ONE = 1 - 1e-6;

/** Make the budget of one upstream. */
export function createPollBudget(options: PollBudgetOptions): PollBudget {
  const { clock, maxConcurrent, maxPerSecond } = options;
  const burst = options.burst ?? Math.max(1, maxPerSecond / 10);
  const line = createLine();
  let taken = 0;
  let tokens = burst;
  let countedAt = clock.now();
  let timer: Timer | undefined;

  function refill(): void {
    const now = clock.now();
    tokens = Math.min(burst, tokens + ((now - countedAt) * maxPerSecond) / 1_000);
    countedAt = now;
  }

  function claim(): Release {
    taken += 1;
    tokens -= 1;
    let isHeld = true;
    return (use) => {
      if (!isHeld) return;
      isHeld = false;
      taken -= 1;
      if (use === 'unused') tokens += 1;
      serve();
    };
  }

  function tryTake(): Release | undefined {
    if (taken >= maxConcurrent || line.length > 0) return undefined;
    refill();
    return tokens >= ALMOST_ONE ? claim() : undefined;
  }

  function serve(): void {
    if (line.length > 0) refill();
    while (line.length > 0 && taken < maxConcurrent && tokens >= ALMOST_ONE) line.shift();
    const waitsForToken = line.length > 0 && taken < maxConcurrent;
    if (!waitsForToken) {
      timer?.cancel();
      timer = undefined;
    } else if (!timer) {
      const wait = Math.ceil(((1 - tokens) * 1_000) / maxPerSecond);
      timer = clock.after(Math.max(1, wait), () => {
        timer = undefined;
        serve();
      });
    }
  }

  function take(signal: AbortSignal): Promise<Release> {
    if (signal.aborted) return Promise.reject(signal.reason);
    const release = tryTake();
    if (release) return Promise.resolve(release);
    return new Promise((resolve, reject) => {
      const leave = line.push(() => {
        signal.removeEventListener('abort', onAbort);
        resolve(claim());
      });
      function onAbort(): void {
        leave();
        reject(signal.reason);
        serve(); // its timer is of no use to an empty line
      }
      signal.addEventListener('abort', onAbort, { once: true });
      serve();
    });
  }

  return {
    tryTake,
    take,
    get taken() {
      return taken;
    },
    get waiting() {
      return line.length;
    },
  };
}

/** One poll in the line. */
class Waiter {
  before: Waiter = this;
  after: Waiter = this;
  readonly grant: () => void;

  constructor(grant: () => void) {
    this.grant = grant;
  }
}

/** A line that one may leave from the middle as well: a ring, with one link as its end. */
function createLine() {
  const end = new Waiter(() => undefined);
  let length = 0;

  function remove(waiter: Waiter): void {
    waiter.before.after = waiter.after;
    waiter.after.before = waiter.before;
    length -= 1;
  }

  return {
    get length() {
      return length;
    },
    /** Stand at the end. @returns how to leave before the turn has come. */
    push(grant: () => void): () => void {
      const waiter = new Waiter(grant);
      waiter.before = end.before;
      waiter.after = end;
      end.before.after = waiter;
      end.before = waiter;
      length += 1;
      return () => remove(waiter);
    },
    /** It is the turn of the first. */
    shift(): void {
      const first = end.after;
      remove(first);
      first.grant();
    },
  };
}
