import type { KeyedHash } from './keyed-hash.ts';

/** So many requests a second are looked at; each costs about as much as a twentieth of passing it on. */
const MAX_PER_SECOND = 300;
const WINDOW_MS = 1_000;
const MAX_LEVEL = 12;

/**
 * Whose requests are looked at: all, as long as there are few; else those of one in two addresses, in
 * four, and so on. Of a client that is looked at nothing is missed, or its timers could not be seen.
 */
export class Attention {
  readonly #hash: KeyedHash;
  #level = 0;
  #windowMs = 0;
  #watched = 0;
  #highest = 0;

  constructor(hash: KeyedHash) {
    this.#hash = hash;
  }

  /** One in so many clients is looked at now. */
  get oneIn(): number {
    return 2 ** this.#level;
  }

  /** The same, when there was most to do. */
  get oneInAtMost(): number {
    return 2 ** this.#highest;
  }

  /** Is a request from this address to be looked at? */
  takes(address: string, atMs: number): boolean {
    const passedMs = atMs - this.#windowMs;
    if (passedMs >= WINDOW_MS || passedMs < 0 || this.#watched >= 2 * MAX_PER_SECOND) {
      this.#adapt(atMs);
    }
    if (this.#level > 0 && (this.#hash(address) & (this.oneIn - 1)) !== 0) return false;
    this.#watched += 1;
    return true;
  }

  #adapt(atMs: number): void {
    if (this.#watched > MAX_PER_SECOND) this.#level = Math.min(MAX_LEVEL, this.#level + 1);
    else if (this.#watched < MAX_PER_SECOND / 4) this.#level = Math.max(0, this.#level - 1);
    this.#highest = Math.max(this.#highest, this.#level);
    this.#windowMs = atMs;
    this.#watched = 0;
  }
}
