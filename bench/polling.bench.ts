import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Goal } from './figures.ts';
import { delay, median, printGoals, printTable, quantile } from './figures.ts';
import { limitsFor, openChannels } from './open-channels.ts';
import type { Case } from './polling-cases.ts';
import { CASES, UNCHANGED } from './polling-cases.ts';
import type { Polling } from './polling-floor.ts';
import type { Seen } from './polling-upstream.ts';
import type { Server } from './processes.ts';
import { cpuMs, report, startProxy } from './processes.ts';
import { printVersions } from './versions.ts';

/*
 * What a poll costs: CPU of the proxy for each, beside the same requests made by undici alone, which
 * does not plan, compare or tell anybody. Each channel is polled once a second and has a subscriber,
 * who is told each change. Contenders take turns in several rounds and the medians count, as the
 * machine is never still. With the argument `all`: undici's `request`, many channels, memory too.
 */
const ROUNDS = 3;
const FEW = 1_000;
const MANY = 10_000;
const SETTLE_MS = 2_000;
const MEASURE_MS = 4_000;
const MAX_CONCURRENT = 128;
/** What the ratios are of. */
const REFERENCE = 'undici dispatch';
const OURS = 'comet-proxy';

interface Contender {
  readonly name: string;
  readonly pid: number;
  /** Poll these channels until `stop`. */
  begin(known: Case, channels: number): Promise<void> | void;
  stop(): void;
}

interface Turn {
  readonly cpuMicroseconds: number;
  readonly share: number;
  readonly pollsPerSecond: number;
  readonly gapsMs: readonly number[];
}

type Turns = ReadonlyMap<string, readonly Turn[]>;

/** Measure each contender, and print a table for each case. */
export async function run(args: readonly string[]): Promise<void> {
  printVersions(['undici'], []);
  const isAll = args.includes('all');
  const children: ChildProcess[] = [];
  try {
    const upstream = fork(file('polling-upstream.ts'));
    children.push(upstream);
    const [port] = (await once(upstream, 'message')) as [number];
    const config = proxyConfig(port);
    const proxy = await startProxy(config);
    children.push(proxy.process);
    const floors = ['dispatch', 'request'].map((how) => fork(file('polling-floor.ts'), [how]));
    children.push(...floors);
    const [dispatch, request] = floors;
    if (!dispatch || !request) return;
    const contenders = [
      floorContender(REFERENCE, dispatch, port),
      ...(isAll ? [floorContender('undici request', request, port)] : []),
      proxyContender(proxy),
    ];
    const goals: Goal[] = [];
    for (const most of isAll ? [FEW, MANY] : [FEW]) {
      for (const known of CASES.filter(({ maxChannels }) => most === FEW || maxChannels >= most)) {
        const channels = Math.min(most, known.maxChannels);
        const turns = new Map<string, Turn[]>(contenders.map(({ name }) => [name, []]));
        for (let round = 0; round < ROUNDS; round++) {
          for (const contender of contenders) {
            turns.get(contender.name)?.push(await takeTurn(contender, upstream, known, channels));
          }
        }
        print(`${channels} channels, ${known.name}`, turns);
        if (UNCHANGED.includes(known.key)) goals.push(goalOf(channels, known, turns));
      }
    }
    printGoals(goals);
    if (!isAll) return;
    console.log('\nmemory of the proxy, each channel with one subscriber, garbage left out');
    for (const known of CASES.filter(({ maxChannels }) => maxChannels >= MANY)) {
      // Channels rest for a while when nobody listens: each case has a process of its own.
      const options = ['--expose-gc', '--import', file('memory-report.js')];
      const measured = await startProxy(config, options);
      children.push(measured.process);
      await printMemory(measured, known);
      measured.process.kill('SIGKILL');
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

function proxyConfig(port: number): Record<string, unknown> {
  const endpoint = { every: '1s', vary: [], linger: '0s' };
  return {
    site: `http://127.0.0.1:${port}`,
    live: Object.fromEntries(CASES.map(({ key }) => [`/${key}/:channel`, endpoint])),
    limits: limitsFor(MANY, MAX_CONCURRENT),
    log: { level: 'warn' },
  };
}

function proxyContender({ process: { pid = 0 }, port }: Server): Contender {
  let stop: () => void = () => undefined;
  return {
    name: OURS,
    pid,
    async begin({ key }, channels) {
      const open = openChannels(port, key, channels);
      stop = open.close;
      while (open.known < channels) await delay(20);
    },
    stop: () => stop(),
  };
}

function floorContender(name: string, child: ChildProcess, port: number): Contender {
  return {
    name,
    pid: child.pid ?? 0,
    begin({ key }, channels) {
      child.send({ port, key, channels, maxConcurrent: MAX_CONCURRENT } satisfies Polling);
    },
    stop: () => void child.send('stop'),
  };
}

async function takeTurn(
  contender: Contender,
  upstream: ChildProcess,
  known: Case,
  channels: number,
): Promise<Turn> {
  await contender.begin(known, channels);
  await delay(SETTLE_MS);
  upstream.send('begin');
  const before = { cpuMs: cpuMs(contender.pid), at: performance.now() };
  await delay(MEASURE_MS);
  upstream.send('tell');
  const usedMs = cpuMs(contender.pid) - before.cpuMs;
  const tookMs = performance.now() - before.at;
  const [{ polls, gapsMs }] = (await once(upstream, 'message')) as [Seen];
  contender.stop();
  await delay(500); // connections close
  return {
    cpuMicroseconds: (usedMs * 1_000) / polls,
    share: usedMs / tookMs,
    pollsPerSecond: (polls * 1_000) / tookMs,
    gapsMs,
  };
}

interface Column {
  readonly title: string;
  value(turn: Turn, reference: Turn): number;
  readonly digits: number;
}

const COLUMNS: readonly Column[] = [
  { title: 'us CPU', value: ({ cpuMicroseconds }) => cpuMicroseconds, digits: 1 },
  {
    title: 'ratio',
    value: ({ cpuMicroseconds }, reference) => cpuMicroseconds / reference.cpuMicroseconds,
    digits: 2,
  },
  { title: '% of core', value: ({ share }) => share * 100, digits: 1 },
  { title: 'polls/s', value: ({ pollsPerSecond }) => pollsPerSecond, digits: 0 },
  { title: 'gap p50', value: ({ gapsMs }) => quantile(gapsMs, 0.5), digits: 1 },
  { title: 'p99', value: ({ gapsMs }) => quantile(gapsMs, 0.99), digits: 1 },
];

function print(title: string, turns: Turns): void {
  const reference = turns.get(REFERENCE) ?? [];
  console.log(`\n${title}: median of ${ROUNDS} rounds; us CPU of one poll, gaps in ms`);
  const rows = [...turns].map(([contender, taken]) => {
    const cells = COLUMNS.map(({ value, digits }) =>
      median(taken.map((turn, round) => value(turn, reference[round] ?? turn))).toFixed(digits),
    );
    return [contender, cells] as const;
  });
  printTable(
    COLUMNS.map(({ title }) => title),
    rows,
    { name: 18, cell: 11 },
  );
}

function goalOf(channels: number, { name }: Case, turns: Turns): Goal {
  const reference = turns.get(REFERENCE) ?? [];
  const ratios = (turns.get(OURS) ?? []).map(
    ({ cpuMicroseconds }, round) =>
      cpuMicroseconds / (reference[round]?.cpuMicroseconds ?? Number.NaN),
  );
  return { name: `${channels} channels, ${name}`, value: median(ratios), limit: 1.3 };
}

/** What is held for channels that are polled, with one subscriber each. */
async function printMemory({ process: child, port }: Server, { key, name }: Case): Promise<void> {
  const before = (await report(child, 'memory')) as Memory;
  const open = openChannels(port, key, MANY);
  while (open.known < MANY) await delay(20);
  await delay(SETTLE_MS);
  const after = (await report(child, 'memory')) as Memory;
  open.close();
  const each = ((after.held - before.held) / MANY / 1_024).toFixed(1);
  const rss = (after.rss / 1_024 / 1_024).toFixed(0);
  console.log(`${MANY} channels, ${name}: ${each} KiB each; ${rss} MiB resident in all`);
}

interface Memory {
  readonly held: number;
  readonly rss: number;
}

function file(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
