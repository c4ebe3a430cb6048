import assert from 'node:assert/strict';

/** So many passes over a text are still in proportion to its length. */
const PASSES = 100;

/**
 * SECURITY: a text that takes the square of its length to read stalls all connections.
 *
 * What is compared is measured on the same machine at the same time, so its speed does not matter.
 */
export function assertLinear(action: () => unknown, length: number): void {
  const text = 'x'.repeat(length);
  const passMicros = cpuMicros(() => {
    for (let i = 0; i < PASSES; i++) text.split('').join('');
  });
  const micros = cpuMicros(action);
  assert.ok(micros < passMicros, `${micros} µs; ${PASSES} passes over it take ${passMicros} µs`);
}

function cpuMicros(action: () => unknown): number {
  const start = process.cpuUsage();
  action();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}
