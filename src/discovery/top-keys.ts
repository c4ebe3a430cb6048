/** Something that is counted, with how far the count may be too high. */
export interface Counted {
  count: number;
  /** What it took over from the one before in its place. */
  error: number;
}

/**
 * The things that come most often, in bounded room (Space-Saving, Metwally et al. 2005): when there
 * is no place left, a new one takes that of one with the lowest count, and its count. Whatever comes
 * more often than `requests / maxKeys` is in it.
 */
export class TopKeys<T extends Counted> {
  readonly #maxKeys: number;
  readonly #onEvict: (value: T) => void;
  readonly #values = new Map<string, T>();
  /** Some with the lowest count, found by one walk over all. */
  #lowest: string[] = [];
  #lowestCount = 0;

  constructor(maxKeys: number, onEvict: (value: T) => void) {
    this.#maxKeys = maxKeys;
    this.#onEvict = onEvict;
  }

  /** Count one more. @param create - Makes what is counted, when it is new. */
  count(key: string, create: () => T): T {
    let value = this.#values.get(key);
    if (!value) {
      const error = this.#values.size >= this.#maxKeys ? this.#evict() : 0;
      value = create();
      value.count = error;
      value.error = error;
      this.#values.set(key, value);
    }
    value.count += 1;
    return value;
  }

  values(): IterableIterator<T> {
    return this.#values.values();
  }

  /** Give up one with the lowest count. @returns that count. */
  #evict(): number {
    for (;;) {
      const key = this.#lowest.pop();
      if (key === undefined) {
        this.#findLowest();
        continue;
      }
      const value = this.#values.get(key);
      // It may have been counted since.
      if (!value || value.count !== this.#lowestCount) continue;
      this.#values.delete(key);
      this.#onEvict(value);
      return value.count;
    }
  }

  #findLowest(): void {
    this.#lowestCount = Number.POSITIVE_INFINITY;
    for (const [key, { count }] of this.#values) {
      if (count > this.#lowestCount) continue;
      if (count < this.#lowestCount) this.#lowest = [];
      this.#lowestCount = count;
      this.#lowest.push(key);
    }
    // The oldest goes first.
    this.#lowest.reverse();
  }
}
