/**
 * What waits in connections until their peers take it. Frames are shared by many connections, and
 * are in memory once: so they count once.
 */
export class Unread {
  readonly #holders = new Map<Buffer, number>();
  readonly #onGrowth: () => void;
  #bytes = 0;

  /** @param onGrowth - Called when there is more than before. Must not throw. */
  constructor(onGrowth: () => void = () => undefined) {
    this.#onGrowth = onGrowth;
  }

  /** Bytes that wait for somebody. */
  get bytes(): number {
    return this.#bytes;
  }

  /** One more connection holds this. */
  hold(bytes: Buffer): void {
    const holders = this.#holders.get(bytes) ?? 0;
    this.#holders.set(bytes, holders + 1);
    if (holders > 0) return;
    this.#bytes += bytes.length;
    this.#onGrowth();
  }

  /** One of them holds it no more. */
  release(bytes: Buffer): void {
    const holders = this.#holders.get(bytes) ?? 0;
    if (holders > 1) {
      this.#holders.set(bytes, holders - 1);
    } else if (this.#holders.delete(bytes)) {
      this.#bytes -= bytes.length;
    }
  }
}

/** What waits for one peer. */
export class Backlog {
  readonly #unread: Unread;
  /** Most peers keep up, and need no list. */
  #frames: Buffer[] | undefined;

  constructor(unread: Unread) {
    this.#unread = unread;
  }

  get isEmpty(): boolean {
    return this.#frames === undefined;
  }

  add(bytes: Buffer): void {
    this.#frames ??= [];
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
