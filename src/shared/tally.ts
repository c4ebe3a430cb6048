/** Counts things by a key. What is counted no more takes no room. */
export class Tally<K> {
  readonly #counts = new Map<K, number>();
  #total = 0;

  /** Things in all. */
  get total(): number {
    return this.#total;
  }

  /** Keys that have any. */
  get size(): number {
    return this.#counts.size;
  }

  /** Things of this key. */
  of(key: K): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: K): void {
    this.#total += 1;
    this.#counts.set(key, this.of(key) + 1);
  }

  /** Take back one `add` of this key. */
  remove(key: K): void {
    const count = this.of(key);
    if (count === 0) return;
    this.#total -= 1;
    if (count === 1) this.#counts.delete(key);
    else this.#counts.set(key, count - 1);
  }
}
