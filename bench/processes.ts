import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Of /proc/PID/stat on Linux. */
const MS_PER_TICK = 10;

/** A server under measurement. */
export interface Server {
  readonly process: ChildProcess;
  readonly port: number;
}

/**
 * Start the built command with this config, on a free port.
 *
 * @param nodeOptions - Options of Node, before the command.
 */
export function startProxy(
  config: Record<string, unknown>,
  nodeOptions: readonly string[] = [],
): Promise<Server> {
  const command = fileURLToPath(new URL('../bin/comet-proxy.js', import.meta.url));
  const complete = { listen: '127.0.0.1:0', ...config };
  return start([...nodeOptions, command, 'run', '--config', '-'], JSON.stringify(complete));
}

/** Start a program that prints where it listens. */
export function start(args: readonly string[], input = ''): Promise<Server> {
  const server = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  server.stdin.end(input);
  return new Promise((resolve, reject) => {
    let text = '';
    server.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const port = /listening on https?:\/\/[^:]+:(\d+)/.exec(text)?.[1];
      if (port !== undefined) resolve({ process: server, port: Number(port) });
    });
    server.once('exit', () => reject(new Error(`ended without listening: ${text}`)));
  });
}

/** Ask a program what a module of ours, which it has loaded, says on SIGUSR2: a line of JSON. */
export function report(program: ChildProcess, name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let text = '';
    program.stdout?.on('data', function onData(part: string) {
      text += part;
      const json = new RegExp(`^${name} (.*)\n`, 'm').exec(text)?.[1];
      if (json === undefined) return;
      program.stdout?.off('data', onData);
      resolve(JSON.parse(json));
    });
    program.once('exit', () => reject(new Error(`ended without a report: ${text}`)));
    program.kill('SIGUSR2');
  });
}

/** CPU time that a process has used so far, in all of its threads. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}
