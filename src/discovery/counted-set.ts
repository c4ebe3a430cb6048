/**
 * About how many different things there were, in little room (linear counting): a bit for each hash,
 * and the share of bits that are still clear tells the number.
 */
export class CountedSet {
  readonly #bits: Uint32Array;

  /** @param bits - A power of two; about as many different things can be counted. */
  constructor(bits: number) {
    this.#bits = new Uint32Array(bits / 32);
  }

  add(hash: number): void {
    const at = hash & (this.#bits.length * 32 - 1);
    this.#bits[at >>> 5] = (this.#bits[at >>> 5] ?? 0) | (1 << (at & 31));
  }

  get size(): number {
    const all = this.#bits.length * 32;
    let clear = all;
    for (let word of this.#bits) {
      for (; word !== 0; word &= word - 1) clear -= 1;
    }
    return Math.round(all * Math.log(all / Math.max(clear, 1)));
  }
}
