import type { Clock } from '../shared/clock.ts';
import { systemClock } from '../shared/clock.ts';
import { Tally } from '../shared/tally.ts';

/**
 * What waits in connections until their peers take it. Frames are shared by many connections, and
 * are in memory once: so they count once.
 */
export class Unread {
  readonly #holders = new Tally<Buffer>();
  readonly clock: Pick<Clock, 'now'>;
  readonly #onGrowth: () => void;
  #bytes = 0;

  /** @param onGrowth - Called when there is more than before. Must not throw. */
  constructor(onGrowth: () => void = () => undefined, clock: Pick<Clock, 'now'> = systemClock) {
    this.#onGrowth = onGrowth;
    this.clock = clock;
  }

  /** Bytes that wait for somebody. */
  get bytes(): number {
    return this.#bytes;
  }

  /** One more connection holds this. */
  hold(bytes: Buffer): void {
    this.#holders.add(bytes);
    if (this.#holders.of(bytes) > 1) return;
    this.#bytes += bytes.length;
    this.#onGrowth();
  }

  /** One of them holds it no more. */
  release(bytes: Buffer): void {
    if (this.#holders.of(bytes) === 1) this.#bytes -= bytes.length;
    this.#holders.remove(bytes);
  }
}

/** What waits for one peer. */
export class Backlog {
  readonly #unread: Unread;
  /** Most peers keep up, and need no list. */
  #frames: Buffer[] | undefined;
  #sinceMs = 0;

  constructor(unread: Unread) {
    this.#unread = unread;
  }

  get isEmpty(): boolean {
    return this.#frames === undefined;
  }

  /** For how long something has been waiting, in milliseconds. */
  get waitedMs(): number {
    return this.#frames === undefined ? 0 : this.#unread.clock.now() - this.#sinceMs;
  }

  add(bytes: Buffer): void {
    if (this.#frames === undefined) {
      this.#frames = [];
      this.#sinceMs = this.#unread.clock.now();
    }
    this.#frames.push(bytes);
    this.#unread.hold(bytes);
  }

  /** The peer has taken everything, or never will. */
  clear(): void {
    const frames = this.#frames;
    this.#frames = undefined;
    for (const bytes of frames ?? []) this.#unread.release(bytes);
  }
}
