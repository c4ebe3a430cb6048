import type { RawHeaders } from './raw-headers.ts';

/**
 * Looks on while an answer is passed on, as it comes from the upstream. Must not throw, nor keep
 * anybody waiting, nor change what it is shown; it may keep it.
 */
export interface Witness {
  /** The final answer has begun. */
  onHead(status: number, headers: RawHeaders): void;
  onData(chunk: Buffer): void;
  /** The answer is whole. Of one that breaks off nothing more is said. */
  onEnd(): void;
}
