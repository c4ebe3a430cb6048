import type { ErrorCode } from '../shared/errors.ts';

/** Counts open streams, in all and by client address. */
export class StreamLimits {
  readonly #maxStreams: number;
  readonly #maxPerAddress: number;
  readonly #byAddress = new Map<string, number>();
  #open = 0;

  constructor(limits: { readonly streams: number; readonly streamsPerAddress: number }) {
    this.#maxStreams = limits.streams;
    this.#maxPerAddress = limits.streamsPerAddress;
  }

  /** Streams open now. */
  get open(): number {
    return this.#open;
  }

  /** Take a seat for a stream; gives the reason when there is none. */
  take(address: string): ErrorCode | undefined {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    if (this.#open >= this.#maxStreams) return 'TOO_MANY_STREAMS';
    if (ofAddress >= this.#maxPerAddress) return 'TOO_MANY_FOR_ADDRESS';
    this.#open += 1;
    this.#byAddress.set(address, ofAddress + 1);
    return undefined;
  }

  /** Give the seat back. */
  release(address: string): void {
    const ofAddress = this.#byAddress.get(address) ?? 0;
    this.#open -= 1;
    if (ofAddress > 1) this.#byAddress.set(address, ofAddress - 1);
    else this.#byAddress.delete(address);
  }
}
