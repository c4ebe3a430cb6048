import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Goal } from './figures.ts';
import { median, printGoals, printTable } from './figures.ts';
import type { Case } from './pass-through-cases.ts';
import { CASES } from './pass-through-cases.ts';
import type { Order, Outcome } from './pass-through-client.ts';
import { hasHaproxy, startHaproxy } from './pass-through-haproxy.ts';
import { hasNginx, startNginx } from './pass-through-nginx.ts';
import type { Server } from './processes.ts';
import { start, startProxy } from './processes.ts';
import { printVersions } from './versions.ts';

/*
 * What it costs to pass a request on: CPU of the proxy for each request, beside what a user would
 * take instead and the least that Node can do. The peers do less: none tells the site who asks.
 * Contenders take turns in several rounds and the medians count, as the machine is never still.
 * Latency is compared at one rate that all of them bear: at the limit it only says what the limit is.
 *
 * Without arguments: small requests at the limit. With names of cases: those, and at a rate too;
 * `all` means all of them.
 */
const ROUNDS = 5;
const DEFAULT_CASES = ['small', 'form'];
const TURN = { warmUpMs: 400, measureMs: 2_000 };
/** What the ratios are of. */
const REFERENCE = 'http-proxy 1.18.1';
const HTTPXY = 'httpxy';
const FASTIFY = '@fastify/http-proxy';
const NGINX = 'nginx';
const OURS = 'comet-proxy';

interface Contender {
  readonly name: string;
  start(upstreamPort: number): Promise<Server>;
}

const CONTENDERS: readonly Contender[] = [
  { name: REFERENCE, start: (port) => startPeer('http-proxy', port) },
  { name: HTTPXY, start: (port) => startPeer('httpxy', port) },
  { name: FASTIFY, start: (port) => startPeer('fastify', port) },
  { name: 'floor: undici in node:http', start: (port) => startPeer('floor', port) },
  ...(hasNginx() ? [{ name: NGINX, start: (port: number) => startNginx(port) }] : []),
  ...(hasHaproxy() ? [{ name: 'haproxy', start: startHaproxy }] : []),
  {
    name: OURS,
    start: (port) =>
      startProxy({ site: `http://127.0.0.1:${port}`, live: { '/live/:name': { every: '2s' } } }),
  },
];

interface Turn {
  readonly atLimit: Outcome;
  readonly atRate?: Outcome;
}

type Turns = ReadonlyMap<string, readonly Turn[]>;

/** Measure each contender, and print a table for each case. */
export async function run(args: readonly string[]): Promise<void> {
  printVersions(
    ['http-proxy-1.18', 'httpxy', '@fastify/http-proxy', 'undici'],
    ['nginx', 'haproxy'],
  );
  const asked = args.includes('all') ? Object.keys(CASES) : args.map((name) => `/${name}`);
  const paths = args.length === 0 ? DEFAULT_CASES.map((name) => `/${name}`) : asked;
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
    const goals: Goal[] = [];
    for (const path of paths) {
      const known = CASES[path];
      if (!known) throw new Error(`no case ${path}: there are ${Object.keys(CASES).join(', ')}`);
      const turns = new Map<string, Turn[]>(running.map((contender) => [contender.name, []]));
      // The first round is not counted: there code is still being compiled.
      for (let round = 0; round <= ROUNDS; round++) {
        for (const { name, server } of running) {
          const turn = await takeTurn(client, server, path, args.length > 0);
          if (round > 0) turns.get(name)?.push(turn);
        }
      }
      print(known, turns);
      goals.push(...goalsOf(path, turns));
    }
    printGoals(goals);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

async function takeTurn(
  client: ChildProcess,
  { process: { pid = 0 }, port }: Server,
  path: string,
  isAtRateToo: boolean,
): Promise<Turn> {
  const order = { pid, port, path, ...TURN };
  const atLimit = await carryOut(client, order);
  const perSecond = CASES[path]?.perSecond;
  if (!isAtRateToo || perSecond === undefined) return { atLimit };
  return { atLimit, atRate: await carryOut(client, { ...order, perSecond }) };
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
  value(of: Outcome, reference: Outcome): number;
  readonly digits: number;
}

const CPU: Column = { title: 'us CPU', value: (of) => of.cpuMicroseconds, digits: 1 };
const RATIO: Column = {
  title: 'ratio',
  value: (of, reference) => of.cpuMicroseconds / reference.cpuMicroseconds,
  digits: 2,
};
const AT_LIMIT: readonly Column[] = [
  CPU,
  RATIO,
  { title: 'per s', value: (of) => of.perSecond, digits: 0 },
  { title: 'p99 ms', value: (of) => of.p99Ms, digits: 1 },
  { title: '% busy', value: (of) => of.busy * 100, digits: 0 },
];
const AT_RATE: readonly Column[] = [
  CPU,
  RATIO,
  { title: 'p50 ms', value: (of) => of.p50Ms, digits: 2 },
  { title: 'p99 ms', value: (of) => of.p99Ms, digits: 2 },
];

function print({ name, connections, perSecond }: Case, turns: Turns): void {
  console.log(`\n${name}: median of ${ROUNDS} rounds; each figure is of one request`);
  console.log(`${connections} at a time, at the limit`);
  printHalf(AT_LIMIT, turns, ({ atLimit }) => atLimit);
  if (![...turns.values()].flat().some(({ atRate }) => atRate)) return;
  console.log(`at ${perSecond} requests/s`);
  printHalf(AT_RATE, turns, ({ atRate }) => atRate);
}

function printHalf(
  columns: readonly Column[],
  turns: Turns,
  halfOf: (turn: Turn) => Outcome | undefined,
): void {
  const outcomes = (name: string) => (turns.get(name) ?? []).flatMap((turn) => halfOf(turn) ?? []);
  const reference = outcomes(REFERENCE);
  const rows = [...turns.keys()].map((name) => {
    const cells = columns.map(({ value, digits }) =>
      median(
        outcomes(name).map((outcome, round) => value(outcome, reference[round] ?? outcome)),
      ).toFixed(digits),
    );
    return [name, cells] as const;
  });
  printTable(
    columns.map(({ title }) => title),
    rows,
    { name: 30, cell: 9 },
  );
}

/** What ours costs by what another costs, round by round. */
function ratioTo(name: string, turns: Turns): number {
  const others = turns.get(name) ?? [];
  return median(
    (turns.get(OURS) ?? []).map(
      ({ atLimit }, round) =>
        atLimit.cpuMicroseconds / (others[round]?.atLimit.cpuMicroseconds ?? Number.NaN),
    ),
  );
}

const LIMITS: readonly (Pick<Goal, 'limit' | 'isBelow'> & { readonly peer: string })[] = [
  { peer: REFERENCE, limit: 0.6 },
  { peer: HTTPXY, limit: 1, isBelow: true },
  { peer: FASTIFY, limit: 1, isBelow: true },
  { peer: NGINX, limit: 3 },
];

function goalsOf(path: string, turns: Turns): Goal[] {
  if (!DEFAULT_CASES.includes(path.slice(1))) return [];
  return LIMITS.filter(({ peer }) => turns.has(peer)).map(({ peer, ...limit }) => ({
    name: `${path}: CPU by that of ${peer}`,
    value: ratioTo(peer, turns),
    ...limit,
  }));
}

function startPeer(name: string, upstreamPort: number): Promise<Server> {
  const program = file('pass-through-peers.js');
  return start(['--no-deprecation', program, name, String(upstreamPort)]);
}

function file(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
