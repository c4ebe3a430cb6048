import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What to say where there is no compiler. */
export const COMPILER_WANTED =
  'no C compiler: no C loop to compare with, and a client of Node, which is slower (apt-get install gcc libc6-dev)';

const made = new Map<string, string | undefined>();
let folder: string | undefined;

/** Compile one of the programs in `native/`. @returns its path; `undefined` without a compiler. */
export function compiled(name: 'client' | 'floor'): string | undefined {
  if (!made.has(name)) made.set(name, compile(name));
  return made.get(name);
}

function compile(name: string): string | undefined {
  if (spawnSync('cc', ['--version']).status !== 0) return undefined;
  folder ??= temporaryFolder('bench-native-');
  const source = fileURLToPath(new URL(`../native/${name}.c`, import.meta.url));
  const program = join(folder, name);
  const { status, stderr } = spawnSync('cc', ['-O2', '-o', program, source], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`native/${name}.c does not compile: ${stderr}`);
  return program;
}

const folders: string[] = [];

/** A folder that is removed when the benchmarks end. */
export function temporaryFolder(prefix: string): string {
  if (folders.length === 0) process.once('exit', removeFolders);
  const path = mkdtempSync(join(tmpdir(), prefix));
  folders.push(path);
  return path;
}

function removeFolders(): void {
  for (const path of folders) rmSync(path, { recursive: true, force: true });
}
