import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from './processes.ts';

const POLL_MS = 5;

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
  while (!(await accepts(port))) {
    if (hasEnded(child)) throw new Error(`${program} ended without listening`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return { process: child, port };
}

/** A port of 127.0.0.1 where nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A folder that is removed when this process ends. */
export function temporaryFolder(name: string): string {
  if (folders.length === 0) process.once('exit', removeFolders);
  const folder = mkdtempSync(join(tmpdir(), `bench-${name}-`));
  folders.push(folder);
  return folder;
}

const folders: string[] = [];

function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return isOpen;
}

function hasEnded(child: ChildProcess): boolean {
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
}
