import type { Clock, Timer } from '../shared/clock.ts';

/** What a demand goes by. */
export interface DemandOptions {
  readonly clock: Clock;
  /** For how long it is still there after the last stream. */
  readonly lingerMs: number;
  /** While plain requests wait, the end is put off by this. */
  readonly patienceMs: number;
  /** Nobody is there any more. */
  readonly onEnd: () => void;
}

/** Who needs a feed: streams, and plain requests that wait for the state. */
export class Demand {
  readonly #options: DemandOptions;
  #streams = 0;
  #waiting = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  /** Whoever has made it may fail before joining: it ends by itself. */
  constructor(options: DemandOptions) {
    this.#options = options;
    this.linger(options.lingerMs);
  }

  /** Streams that are there now. */
  get streams(): number {
    return this.#streams;
  }

  /** A stream begins. */
  join(): void {
    this.#streams += 1;
    this.#timer?.cancel();
  }

  /** A stream has ended. */
  leave(): void {
    this.#streams -= 1;
    if (this.#streams === 0) this.linger(this.#options.lingerMs);
  }

  /** A plain request waits for this. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    try {
      return await work();
    } finally {
      this.#waiting -= 1;
    }
  }

  /** End after this time if nobody is there then. */
  linger(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(delayMs, () => {
      if (this.#streams > 0) return;
      if (this.#waiting === 0) this.#options.onEnd();
      else this.linger(this.#options.patienceMs);
    });
  }

  /** Nothing ends any more. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }
}
