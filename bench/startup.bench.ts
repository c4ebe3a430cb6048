import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { median, printTable } from './figures.ts';
import { installedSize } from './installed-size.ts';
import { hasNginx, nginxArgs } from './pass-through-nginx.ts';
import { cpuMs } from './processes.ts';
import { freePort } from './push/child.ts';
import { MessageReader } from './read-message.ts';
import { printVersions } from './versions.ts';

/*
 * From the command to the first request that is answered from the site, with files already in the
 * system's cache; and what is installed. Contenders take turns, and the medians count.
 */
const ROUNDS = 11;
const RETRY_MS = 1;
const BODY = 'up';

interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly input?: string;
}

interface Contender {
  readonly name: string;
  commandOf(port: number, upstreamPort: number): Command;
}

const CONTENDERS: readonly Contender[] = [
  {
    name: 'comet-proxy',
    commandOf: (port, upstreamPort) => ({
      program: process.execPath,
      args: [file('../bin/comet-proxy.js'), 'run', '--config', '-'],
      input: JSON.stringify({
        listen: `127.0.0.1:${port}`,
        site: `http://127.0.0.1:${upstreamPort}`,
        live: { '/status': { every: '2s' } },
      }),
    }),
  },
  { name: 'http-proxy 1.18.1', commandOf: peer('http-proxy') },
  { name: '@fastify/http-proxy', commandOf: peer('fastify') },
  ...(hasNginx()
    ? [
        {
          name: 'nginx',
          commandOf: (port: number, upstreamPort: number) => ({
            program: 'nginx',
            args: nginxArgs(port, upstreamPort),
          }),
        },
      ]
    : []),
];

interface Turn {
  readonly wallMs: number;
  /** Of the process; unknown of one that has ended. */
  readonly cpuMs?: number;
  readonly residentMiB?: number;
}

/** Start each contender several times, and print a table; then install ours, and count. */
export async function run(): Promise<void> {
  printVersions(['http-proxy-1.18', '@fastify/http-proxy'], ['nginx']);
  const upstream = createServer((_req, res) => void res.end(BODY)).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const { port: upstreamPort } = upstream.address() as AddressInfo;
  const floor = 'node -e 0, until it ends';
  const turns = new Map<string, Turn[]>([floor, ...CONTENDERS.map(nameOf)].map((n) => [n, []]));
  for (let round = 0; round < ROUNDS; round++) {
    turns.get(floor)?.push({ wallMs: await runToEnd() });
    for (const { name, commandOf } of CONTENDERS) {
      const port = await freePort();
      turns.get(name)?.push(await takeTurn(commandOf(port, upstreamPort), port));
    }
  }
  upstream.closeAllConnections();
  upstream.close();
  print(turns);
  console.log(`\n${await installedSize()}`);
}

async function takeTurn({ program, args, input = '' }: Command, port: number): Promise<Turn> {
  const startedAt = performance.now();
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(input);
  const exited = once(child, 'exit');
  while (!(await isAnswered(port))) {
    if (child.exitCode !== null) throw new Error(`${program} has ended`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  const wallMs = performance.now() - startedAt;
  const turn = { wallMs, cpuMs: cpuMs(child.pid ?? 0), residentMiB: residentMiB(child) };
  child.kill('SIGKILL');
  await exited;
  return turn;
}

async function runToEnd(): Promise<number> {
  const startedAt = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit');
  return performance.now() - startedAt;
}

/** Is a request on this port answered from the site? */
function isAnswered(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const reader = new MessageReader();
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`);
    socket.on('error', () => resolve(false)).on('close', () => resolve(false));
    socket.on('data', (chunk) => {
      const answer = reader.add(chunk);
      if (!answer) return;
      resolve(answer.body === BODY);
      socket.destroy();
    });
  });
}

function residentMiB({ pid }: ChildProcess): number {
  const kib = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1_024;
}

function print(turns: ReadonlyMap<string, readonly Turn[]>): void {
  console.log(`median of ${ROUNDS} starts`);
  const cell = (values: readonly (number | undefined)[]) => {
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 ? '-' : median(known).toFixed(0);
  };
  const rows = [...turns].map(([name, taken]) => {
    const wallMs = taken.map((turn) => turn.wallMs);
    const slowest = Math.max(...wallMs).toFixed(0);
    const cpu = cell(taken.map((turn) => turn.cpuMs));
    const resident = cell(taken.map((turn) => turn.residentMiB));
    return [name, [cell(wallMs), slowest, cpu, resident]] as const;
  });
  printTable(['ms', 'slowest', 'CPU ms', 'MiB'], rows, { name: 30, cell: 10 });
}

function nameOf({ name }: Contender): string {
  return name;
}

function peer(name: string) {
  return (port: number, upstreamPort: number): Command => ({
    program: process.execPath,
    args: [
      '--no-deprecation',
      file('pass-through-peers.js'),
      name,
      String(upstreamPort),
      String(port),
    ],
  });
}

function file(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
