import type { ErrorCode } from '../shared/errors.ts';
import { Tally } from '../shared/tally.ts';

/** Counts open streams, in all and by client address. */
export class StreamLimits {
  readonly #maxStreams: number;
  readonly #maxPerAddress: number;
  readonly #byAddress = new Tally<string>();

  constructor(limits: { readonly streams: number; readonly streamsPerAddress: number }) {
    this.#maxStreams = limits.streams;
    this.#maxPerAddress = limits.streamsPerAddress;
  }

  /** Streams open now. */
  get open(): number {
    return this.#byAddress.total;
  }

  /** Take a seat for a stream; gives the reason when there is none. */
  take(address: string): ErrorCode | undefined {
    if (this.open >= this.#maxStreams) return 'TOO_MANY_STREAMS';
    if (this.#byAddress.of(address) >= this.#maxPerAddress) return 'TOO_MANY_FOR_ADDRESS';
    this.#byAddress.add(address);
    return undefined;
  }

  /** Give the seat back. */
  release(address: string): void {
    this.#byAddress.remove(address);
  }
}
