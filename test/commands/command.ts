import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/comet-proxy.js', import.meta.url));

/** Far longer than any command takes, also on a slow machine. */
const LONGEST_RUN_MS = 60_000;

/** How a process of the test's own ended. */
export interface Outcome {
  /** The exit code, or the name of the signal that ended it. */
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface Command {
  readonly ended: Promise<Outcome>;
  /** Wait until its output has this; rejects when it ends without. */
  output(wanted: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
}

/** Start the built command; it is ended with the test. */
export function startCommand(
  t: TestContext,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Record<string, string>;
    /** What stands on its standard input. */
    readonly input?: string;
  } = {},
): Command {
  const { cwd = emptyFolder(t), env = {}, input = '' } = options;
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.end(input);
  let stdout = '';
  let stderr = '';
  const onOutput = new Set<() => void>();
  const told = () => {
    for (const listener of onOutput) listener();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    told();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    told();
  });
  // A command that hangs fails its test instead of stopping all the others.
  const guard = setTimeout(() => child.kill('SIGKILL'), LONGEST_RUN_MS);
  const ended = once(child, 'close').then(([code, signal]): Outcome => {
    clearTimeout(guard);
    return { code: code ?? signal, stdout, stderr };
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    ended,
    output(wanted) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const match = wanted.exec(stdout) ?? wanted.exec(stderr);
          if (!match) return;
          onOutput.delete(look);
          resolve(match);
        };
        onOutput.add(look);
        look();
        void ended.then(() => reject(new Error(`ended without ${wanted}: ${stdout}${stderr}`)));
      });
    },
    kill: (signal) => void child.kill(signal),
  };
}

/** Run the built command to its end. */
export function runCommand(
  t: TestContext,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Promise<Outcome> {
  return startCommand(t, args, options).ended;
}

/** Start the command in front of a site, on a free port; resolves when it accepts. */
export async function startServing(
  t: TestContext,
  site: string,
  args: readonly string[] = [],
): Promise<Command & { readonly url: string }> {
  const command = startCommand(t, ['--site', site, '--listen', '127.0.0.1:0', ...args]);
  const [, url = ''] = await command.output(/^listening on (http:\S+)$/m);
  return { ...command, url };
}

/** An empty folder that is removed with the test. */
export function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'comet-proxy-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
