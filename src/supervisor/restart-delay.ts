/** What runs for so long has begun well. */
const HEALTHY_MS = 10_000;
const FIRST_MS = 50;
const LONGEST_MS = 10_000;

/**
 * How long to wait before a process that has ended is started again: hardly at all after a good run,
 * and ever longer after one that had hardly begun.
 *
 * @param crashes - In a row before this one.
 * @param livedMs - Since it was ready; 0 when it never was.
 */
export function restartDelayMs(
  crashes: number,
  livedMs: number,
): { readonly crashes: number; readonly delayMs: number } {
  const inRow = livedMs >= HEALTHY_MS ? 1 : crashes + 1;
  return { crashes: inRow, delayMs: Math.min(LONGEST_MS, FIRST_MS * 2 ** (inRow - 1)) };
}
