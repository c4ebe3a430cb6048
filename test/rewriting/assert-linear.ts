import assert from 'node:assert/strict';

/** So many passes over a text are still in proportion to its length. */
const PASSES = 100;

/**
 * SECURITY: a text that takes the square of its length to read stalls all connections.
 *
 * What is compared is measured on the same machine at the same time, so its speed does not matter.
 */
export function assertLinear(action: () => unknown, length: number): void {
  assertAllLinear([['it', action]], length);
}

/** The same of many actions, each over a text of this length. */
export function assertAllLinear(
  actions: Iterable<readonly [name: string, action: () => unknown]>,
  length: number,
): void {
  const text = 'x'.repeat(length);
  const passMicros = cpuMicros(() => {
    for (let i = 0; i < PASSES; i++) text.split('').join('');
  });
  for (const [name, action] of actions) {
    const micros = cpuMicros(action);
    const passes = `${PASSES} passes over it take ${passMicros} µs`;
    assert.ok(micros < passMicros, `${name}: ${micros} µs; ${passes}`);
  }
}

function cpuMicros(action: () => unknown): number {
  const start = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}
