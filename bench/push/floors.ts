import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { start } from '../processes.ts';
import { stop } from './child.ts';
import type { Contender, Load, PushServer } from './contender.ts';
import { COMPILER_WANTED, compiled } from './native.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n';

/** What every ratio is of. */
export const C_FLOOR: Contender = {
  name: 'floor: C loop of send()',
  objection: compiled('floor') ? undefined : COMPILER_WANTED,
  async start({ intervalMs, bytes }) {
    const program = spawn(compiled('floor') ?? '', [String(intervalMs), String(bytes)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const port = await new Promise<number>((resolve, reject) => {
      program.stdout.setEncoding('utf8').on('data', (text: string) => {
        resolve(Number(/:(\d+)\n/.exec(text)?.[1]));
      });
      program.once('error', reject);
      program.once('exit', () => reject(new Error('the floor ended without listening')));
    });
    return {
      port,
      pid: program.pid ?? 0,
      speech: { mode: 'stream', first: REQUEST },
      close: () => stop(program),
    };
  },
};

/** What Node can do at best, and what everybody writes. */
export const NODE_FLOORS: readonly Contender[] = [
  { name: 'floor: socket.write(shared Buffer)', start: (load) => startNode('socket', load) },
  { name: 'floor: res.write(string)', start: (load) => startNode('response', load) },
];

async function startNode(how: string, { intervalMs, bytes }: Load): Promise<PushServer> {
  const program = fileURLToPath(new URL('node-floor.js', import.meta.url));
  const { process: child, port } = await start([program, how, String(intervalMs), String(bytes)]);
  return {
    port,
    pid: child.pid ?? 0,
    speech: { mode: 'stream', first: REQUEST },
    close: () => stop(child),
  };
}
