import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutants.ts';
import { MUTANTS } from './mutants.ts';

/*
 * Does the suite notice when something that keeps clients apart is missing? Takes each piece away in
 * turn, in a copy of the tree, and says which test fails. Not a part of `npm test`: it takes a
 * quarter of an hour. By hand:
 *
 *   npx tsx test/mutations/run.ts [PART OF A NAME]...
 *
 * It fails when a piece is missed by no test, and when the source has no such piece any more.
 */

const FIRST = 'test/security/identity-isolation.test.ts';

/** A test that waits in vain has failed: so many times longer than it takes as a rule. */
const PATIENCE = 4;

const root = fileURLToPath(new URL('../..', import.meta.url));
const copy = mkdtempSync(join(tmpdir(), 'mutants-'));

try {
  for (const name of ['src', 'test', 'package.json', 'tsconfig.json']) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  process.exitCode = report(process.argv.slice(2)) ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true });
}

/** @returns False when a mutant lives. */
function report(wanted: readonly string[]): boolean {
  const isWanted = ({ name }: Mutant) =>
    wanted.length === 0 || wanted.some((part) => name.includes(part));
  const limitsMs = new Map<string, number>();
  let areAllFound = true;
  for (const mutant of MUTANTS.filter(isWanted)) {
    const path = join(copy, mutant.file);
    const source = readFileSync(path, 'utf8');
    const tests = [FIRST, ...(mutant.also ?? [])];
    for (const test of tests) {
      if (!limitsMs.has(test)) limitsMs.set(test, timeOf(test));
    }
    writeFileSync(path, mutated(source, mutant));
    let found: string | undefined;
    for (const test of tests) {
      const result = run(test, limitsMs.get(test));
      if (result === 'passed') continue;
      found = result === 'failed' ? test : `${test} (waits in vain)`;
      break;
    }
    writeFileSync(path, source);
    areAllFound &&= found !== undefined;
    console.log(`${mutant.name.padEnd(70)} ${found ?? 'MISSED BY ALL'}`);
  }
  return areAllFound;
}

function timeOf(test: string): number {
  const start = performance.now();
  if (run(test) !== 'passed') throw new Error(`${test} fails without any change`);
  return Math.ceil(PATIENCE * (performance.now() - start));
}

function mutated(source: string, { name, file, from, to }: Mutant): string {
  const [before, after, ...more] = source.split(from);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`${name}: ${file} does not hold exactly once: ${from}`);
  }
  return `${before}${to}${after}`;
}

function run(test: string, timeout?: number): 'passed' | 'failed' | 'silent' {
  const { status, signal } = spawnSync(process.execPath, ['--import', 'tsx', test], {
    cwd: copy,
    stdio: 'ignore',
    ...(timeout === undefined ? {} : { timeout, killSignal: 'SIGKILL' }),
  });
  if (signal !== null) return 'silent';
  return status === 0 ? 'passed' : 'failed';
}
