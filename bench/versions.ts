import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Print which versions are compared, of npm packages and of programs; and what is not installed. */
export function printVersions(packages: readonly string[], programs: readonly string[]): void {
  console.log(
    [...packages.map((name) => `${name} ${versionOf(name)}`), ...programs.map(versionLine)].join(
      '; ',
    ),
  );
}

function versionOf(name: string): string {
  const path = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

function versionLine(program: string): string {
  const { stdout, stderr, error } = spawnSync(program, ['-v'], { encoding: 'utf8' });
  if (error) return `${program} is not installed: no row for it`;
  return `${stdout}${stderr}`.split('\n')[0]?.replace(/ - http.*/, '') ?? '';
}
