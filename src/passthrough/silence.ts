import type { Clock, Timer } from '../shared/clock.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValue } from '../shared/raw-headers.ts';

/** Media types of answers that may be silent for any time. */
const STREAMS =
  /^(?:text\/event-stream|multipart\/|application\/(?:x-ndjson|ndjson|stream\+json))/i;

/** Is this the head of a stream, whose silence means nothing? */
export function isStream(headers: RawHeaders): boolean {
  return (
    STREAMS.test(headerValue(headers, 'content-type') ?? '') ||
    headerValue(headers, 'x-accel-buffering')?.toLowerCase() === 'no' ||
    headerValue(headers, 'incremental') === '?1'
  );
}

/** Watches a body that may not be silent for long, while somebody listens. */
export class Silence {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onTooLong: () => void;
  #timer: Timer;
  #heardAt: number;
  #isPaused = false;

  constructor(clock: Clock, timeoutMs: number, onTooLong: () => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onTooLong = onTooLong;
    this.#heardAt = clock.now();
    this.#timer = clock.after(timeoutMs, this.#look);
  }

  /** Something came. */
  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  /** It is us who do not listen. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Listen again. */
  resume(): void {
    this.#isPaused = false;
    this.heard();
  }

  stop(): void {
    this.#timer.cancel();
  }

  readonly #look = (): void => {
    const silentMs = this.#isPaused ? 0 : this.#clock.now() - this.#heardAt;
    if (silentMs >= this.#timeoutMs) this.#onTooLong();
    else this.#timer = this.#clock.after(this.#timeoutMs - silentMs, this.#look);
  };
}
