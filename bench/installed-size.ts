import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from './push/native.ts';

const TIMEOUT_MS = 120_000;

/** What `npm install` of this package brings along, in words. It asks the registry. */
export async function installedSize(): Promise<string> {
  const folder = temporaryFolder('bench-install-');
  try {
    const tarball = npm(folder, 'pack', fileURLToPath(new URL('..', import.meta.url)));
    const path = join(folder, basename(tarball.trim().split('\n').at(-1) ?? ''));
    npm(folder, 'install', '--prefix', folder, '--omit=dev', '--no-audit', '--no-fund', path);
    const modules = join(folder, 'node_modules');
    const lock = readFileSync(join(modules, '.package-lock.json'), 'utf8');
    const packages = Object.keys((JSON.parse(lock) as { packages: object }).packages).length;
    const mb = (bytes: number) => (bytes / 1_000_000).toFixed(1);
    const own = mb(bytesIn(join(modules, 'comet-proxy')));
    const packed = mb(statSync(path).size);
    return `installed: ${packages} packages, ${mb(bytesIn(modules))} MB (its own files ${own} MB, packed ${packed} MB)`;
  } catch (error) {
    return `installed size is left out: ${error instanceof Error ? error.message.split('\n')[0] : error}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What was built already is not built again. */
function npm(folder: string, ...args: string[]): string {
  return execFileSync('npm', [...args, '--ignore-scripts', '--silent'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) return sum;
    return sum + (entry.isDirectory() ? bytesIn(path) : statSync(path).size);
  }, 0);
}
