import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CASES } from './pass-through-cases.ts';
import type { Order, Outcome } from './pass-through-client.ts';
import { hasNginx, startNginx } from './pass-through-nginx.ts';
import type { Server } from './processes.ts';
import { start, startProxy } from './processes.ts';

/*
 * What it costs to pass a request on: CPU of the proxy for each request, beside what a user would
 * take instead and the least that Node can do. The peers do less: none tells the site who asks.
 * Contenders take turns in several rounds and the medians count, as the machine is never still.
 * Latency is compared at one rate that all of them bear: at the limit it only says what the limit is.
 */
const ROUNDS = 5;
const CONNECTIONS = 64;
const PER_SECOND = 1_000;
const TURN = { connections: CONNECTIONS, warmUpMs: 500, measureMs: 2_000 };
/** What the ratios are of. */
const REFERENCE = 'http-proxy 1.18.1';

interface Contender {
  readonly name: string;
  start(upstreamPort: number): Promise<Server>;
}

const CONTENDERS: readonly Contender[] = [
  { name: REFERENCE, start: (port) => startPeer('http-proxy', port) },
  { name: 'httpxy', start: (port) => startPeer('httpxy', port) },
  { name: '@fastify/http-proxy', start: (port) => startPeer('fastify', port) },
  { name: 'floor: undici in node:http', start: (port) => startPeer('floor', port) },
  ...(hasNginx() ? [{ name: 'nginx', start: startNginx }] : []),
  {
    name: 'comet-proxy',
    start: (port) =>
      startProxy({ site: `http://127.0.0.1:${port}`, live: { '/live/:name': { every: '2s' } } }),
  },
];

interface Turn {
  readonly atLimit: Outcome;
  readonly atRate: Outcome;
}

/** Measure each contender, and print a table for each case. */
export async function run(): Promise<void> {
  const children: ChildProcess[] = [];
  try {
    const upstream = await start(['--import', 'tsx', file('pass-through-upstream.ts')]);
    children.push(upstream.process);
    const client = fork(file('pass-through-client.ts'));
    children.push(client);
    const running: { name: string; server: Server }[] = [];
    for (const { name, start } of CONTENDERS) {
      const server = await start(upstream.port);
      children.push(server.process);
      running.push({ name, server });
    }
    if (!hasNginx()) console.log('nginx is not installed: no row for it');
    for (const [path, { name }] of Object.entries(CASES)) {
      const turns = new Map<string, Turn[]>(running.map((contender) => [contender.name, []]));
      for (let round = 0; round < ROUNDS; round++) {
        for (const { name, server } of running) {
          turns.get(name)?.push(await takeTurn(client, server, path, name));
        }
      }
      print(name, turns);
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

async function takeTurn(
  client: ChildProcess,
  { process: { pid = 0 }, port }: Server,
  path: string,
  name: string,
): Promise<Turn> {
  const order = { pid, port, path, ...TURN };
  try {
    const atLimit = await carryOut(client, order);
    return { atLimit, atRate: await carryOut(client, { ...order, perSecond: PER_SECOND }) };
  } catch (error) {
    throw new Error(`${name} failed`, { cause: error });
  }
}

async function carryOut(client: ChildProcess, order: Order): Promise<Outcome> {
  const ended = new AbortController();
  const failed = once(client, 'exit', { signal: ended.signal }).then(() => {
    throw new Error('the client has ended');
  });
  failed.catch(() => undefined);
  client.send(order);
  try {
    const [outcome] = await Promise.race([once(client, 'message'), failed]);
    return outcome as Outcome;
  } finally {
    ended.abort();
  }
}

interface Column {
  readonly title: string;
  value(turn: Turn, reference: Turn): number;
  readonly digits: number;
}

const COLUMNS: readonly Column[] = [
  { title: 'us CPU', value: ({ atLimit }) => atLimit.cpuMicroseconds, digits: 1 },
  {
    title: 'ratio',
    value: ({ atLimit }, reference) => atLimit.cpuMicroseconds / reference.atLimit.cpuMicroseconds,
    digits: 2,
  },
  { title: 'per s', value: ({ atLimit }) => atLimit.perSecond, digits: 0 },
  { title: 'p99 ms', value: ({ atLimit }) => atLimit.p99Ms, digits: 1 },
  { title: '% busy', value: ({ atLimit }) => atLimit.busy * 100, digits: 0 },
  { title: '| us CPU', value: ({ atRate }) => atRate.cpuMicroseconds, digits: 1 },
  {
    title: 'ratio',
    value: ({ atRate }, reference) => atRate.cpuMicroseconds / reference.atRate.cpuMicroseconds,
    digits: 2,
  },
  { title: 'p50 ms', value: ({ atRate }) => atRate.p50Ms, digits: 2 },
  { title: 'p99 ms', value: ({ atRate }) => atRate.p99Ms, digits: 2 },
];

function print(name: string, turns: ReadonlyMap<string, readonly Turn[]>): void {
  const reference = turns.get(REFERENCE) ?? [];
  const cells = (texts: readonly string[]) => texts.map((text) => text.padStart(9)).join('');
  console.log(`\n${name}: median of ${ROUNDS} rounds; each figure is of one request`);
  console.log(
    `${''.padEnd(30)}${`${CONNECTIONS} connections, at the limit`.padEnd(46)}| at ${PER_SECOND} requests/s`,
  );
  console.log(`${''.padEnd(30)}${cells(COLUMNS.map(({ title }) => title))}`);
  for (const [contender, taken] of turns) {
    const figures = COLUMNS.map(({ value, digits }) =>
      median(taken.map((turn, round) => value(turn, reference[round] ?? turn))).toFixed(digits),
    );
    console.log(`${contender.padEnd(30)}${cells(figures)}`);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function startPeer(name: string, upstreamPort: number): Promise<Server> {
  const program = file('pass-through-peers.js');
  return start(['--no-deprecation', program, name, String(upstreamPort)]);
}

function file(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
