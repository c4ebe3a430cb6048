/** Longer than any test may take: what still waits then was left behind by a test that failed. */
const GIVE_UP_MS = 180_000;

/**
 * Wait until a condition holds, looking again at every turn of the event loop. The limit is the
 * test's own; this one only lets the process of a failed test end.
 *
 * @throws {Error} when the condition has not held for three minutes.
 */
export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + GIVE_UP_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
