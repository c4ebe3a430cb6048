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

/** Start the built command with this config, on a free port. */
export function startProxy(config: Record<string, unknown>): Promise<Server> {
  const command = fileURLToPath(new URL('../bin/comet-proxy.js', import.meta.url));
  const complete = { listen: '127.0.0.1:0', ...config };
  return start([command, 'run', '--config', '-'], JSON.stringify(complete));
}

/** Start a program that prints where it listens. */
export function start(args: readonly string[], input = ''): Promise<Server> {
  const server = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  server.stdin.end(input);
  return new Promise((resolve, reject) => {
    let text = '';
    server.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const port = /listening on http:\/\/[^:]+:(\d+)/.exec(text)?.[1];
      if (port !== undefined) resolve({ process: server, port: Number(port) });
    });
    server.once('exit', () => reject(new Error(`ended without listening: ${text}`)));
  });
}

/** CPU time that a process has used so far, in all of its threads. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}
