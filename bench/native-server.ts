import { spawn, spawnSync } from 'node:child_process';
import type { Server } from './processes.ts';
import { listens } from './push/child.ts';

/** Can this program be started here? */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['-v']).status === 0;
}

/** Start a program that is told where to listen and says nothing, and wait until it accepts. */
export async function startNative(
  program: string,
  args: readonly string[],
  port: number,
): Promise<Server> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  await listens(child, port, () => program);
  return { process: child, port };
}
