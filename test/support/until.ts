/**
 * Wait until a condition holds, looking again at every turn of the event loop. It has no limit of
 * its own: the test runner's applies, so a slow machine only takes longer.
 */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
