/** One request of a client, as it is remembered. */
export interface Event {
  readonly atMs: number;
  /** `NaN` when it is not known. */
  readonly durationMs: number;
  /** `NaN` when it is not known. */
  readonly bytes: number;
  /** What the answer was like: see `answerCode`. */
  readonly answer: number;
  /** One bit for each field that looks like the time of the request, from the lowest on. */
  readonly times: number;
  /** One bit for each field that looks like a random fraction. */
  readonly fractions: number;
  /** One number for each field: see `FieldValues`. */
  readonly values: readonly number[];
}

/** Numbers of an event besides those of its fields. */
const FIXED = 6;

/** What the answer was like, as a number: nothing is known of it. */
export const UNKNOWN_ANSWER = -2;
/** It was a 304: the same as before. */
export const NOT_MODIFIED = -1;
/** Answers of which only the size is known begin here, above all hashes. */
const SIZES = 2 ** 33;

/** The number of an answer with this content or this size. */
export function answerCode(contentHash: number | undefined, bytes: number | undefined): number {
  if (contentHash !== undefined) return contentHash;
  return bytes === undefined ? UNKNOWN_ANSWER : SIZES + bytes;
}

/** Does the number tell of an answer's size alone? */
export function isSize(answer: number): boolean {
  return answer >= SIZES;
}

/**
 * The last requests of one client for one kind of URL, in a ring of plain numbers: there are many of
 * these.
 */
export class Track {
  /** Of the client: a hash. */
  readonly name: number;
  readonly #stride: number;
  readonly #capacity: number;
  readonly #numbers: number[] = [];
  #next = 0;
  /** Requests in all. */
  total = 0;
  lastMs = Number.NEGATIVE_INFINITY;
  /** Whether it came again since somebody looked whether it may go. */
  wasTouched = false;

  constructor(name: number, { fieldCount, capacity }: { fieldCount: number; capacity: number }) {
    this.name = name;
    this.#stride = FIXED + fieldCount;
    this.#capacity = capacity;
  }

  /** Requests that are remembered. */
  get size(): number {
    return this.#numbers.length / this.#stride;
  }

  /** Numbers that are held. */
  get room(): number {
    return this.#numbers.length;
  }

  add(event: Event): void {
    const { atMs, durationMs, bytes, answer, times, fractions, values } = event;
    const numbers = this.#numbers;
    let at = this.#next * this.#stride;
    this.#next = (this.#next + 1) % this.#capacity;
    this.total += 1;
    this.lastMs = atMs;
    this.wasTouched = true;
    numbers[at++] = atMs;
    numbers[at++] = durationMs;
    numbers[at++] = bytes;
    numbers[at++] = answer;
    numbers[at++] = times;
    numbers[at++] = fractions;
    for (const value of values) numbers[at++] = value;
  }

  /** What is remembered, by time. */
  events(): Event[] {
    const events: Event[] = [];
    for (let at = 0; at < this.#numbers.length; at += this.#stride) {
      const [atMs = 0, durationMs = 0, bytes = 0, answer = 0, times = 0, fractions = 0, ...values] =
        this.#numbers.slice(at, at + this.#stride);
      events.push({ atMs, durationMs, bytes, answer, times, fractions, values });
    }
    return events.sort((a, b) => a.atMs - b.atMs);
  }
}
