import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { delay, printGoals, printTable, quantile } from './figures.ts';
import type { Pages, Sight } from './offload-client.ts';
import type { Seen } from './offload-upstream.ts';
import { hasNginx, startNginx } from './pass-through-nginx.ts';
import type { Server } from './processes.ts';
import { cpuMs, startProxy } from './processes.ts';
import { printVersions } from './versions.ts';

/*
 * What the site is spared, and how old what pages show is: N pages poll one URL, each a second after
 * the answer before. Staleness is the time from a change on the site until a page has it, for each
 * page and each change. All contenders run at the same time, before the same site: they see the same
 * changes, and the same disturbances of the machine. nginx counts in whole seconds: what it keeps
 * "for 1 s" is asked for again after up to two.
 */
const PAGES = [10, 100, 1_000];
const SECONDS = 30;
const INTERVAL_MS = 1_000;
/** After the last change: everybody has had the time to see it. */
const REST_MS = 4_000;
const LIMITS = { connectionsPerAddress: 2_000, streamsPerAddress: 2_000 };

interface Contender {
  readonly name: string;
  /** What it is asked for, so that the site can tell who asks. */
  readonly path: string;
  readonly isPushed?: boolean;
  /** @default pages ask the site itself */
  start?(upstreamPort: number, path: string): Promise<Server>;
}

const DIRECT = 'directly';
const PUSHED = 'comet-proxy, pushed (SSE)';
const CONTENDERS: readonly Contender[] = [
  { name: DIRECT, path: '/directly' },
  ...(hasNginx()
    ? [{ name: 'nginx, cached for 1 s', path: '/nginx', start: startMicrocache }]
    : []),
  { name: 'comet-proxy, absorb', path: '/absorb', start: startUs('absorb') },
  { name: 'comet-proxy, hold', path: '/hold', start: startUs('hold') },
  { name: PUSHED, path: '/push', start: startUs('pass'), isPushed: true },
];

interface Figures {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of one core, in the contender's process. */
  readonly busy: number;
  /** Changes that a page never had. */
  readonly missed: number;
}

/** Measure all contenders with each number of pages, and print a table. */
export async function run(): Promise<void> {
  printVersions([], ['nginx']);
  const rows = new Map<string, Figures[]>(CONTENDERS.map(({ name }) => [name, []]));
  let changes = 0;
  for (const count of PAGES) {
    const outcome = await measure(count);
    changes += outcome.changes;
    for (const [name, figures] of outcome.figures) rows.get(name)?.push(figures);
  }
  print(rows, changes);
  goals(rows);
}

interface Running {
  readonly name: string;
  readonly path: string;
  readonly pid: number | undefined;
  readonly client: ChildProcess;
}

async function measure(count: number) {
  const children: ChildProcess[] = [];
  const child = (name: string) => {
    const forked = fork(fileURLToPath(new URL(name, import.meta.url)));
    forked.once('exit', (code) => code !== null && process.exit(1));
    children.push(forked);
    return forked;
  };
  try {
    const upstream = child('offload-upstream.ts');
    const [upstreamPort] = (await once(upstream, 'message')) as [number];
    const running: Running[] = [];
    for (const { name, path, isPushed = false, start } of CONTENDERS) {
      const server = await start?.(upstreamPort, path);
      if (server) children.push(server.process);
      const client = child('offload-client.ts');
      client.send({ port: server?.port ?? upstreamPort, path, count, isPushed } satisfies Pages);
      await once(client, 'message'); // all pages have the first version
      running.push({ name, path, pid: server?.process.pid, client });
    }
    await delay(2 * INTERVAL_MS);
    return await watch(upstream, running, count);
  } finally {
    for (const each of children) each.kill('SIGKILL');
  }
}

async function watch(upstream: ChildProcess, running: readonly Running[], count: number) {
  const used = (pid: number | undefined) => (pid === undefined ? 0 : cpuMs(pid));
  for (const { client } of running) client.send('begin');
  upstream.send('begin');
  const before = running.map(({ pid }) => used(pid));
  const startedAt = performance.now();
  await delay(SECONDS * 1_000);
  upstream.send('rest');
  await delay(REST_MS);
  const tookMs = performance.now() - startedAt;
  const after = running.map(({ pid }) => used(pid));
  const { requests, changedAt } = await ask<Seen>(upstream);
  const changes = new Map(changedAt);
  const figures = new Map<string, Figures>();
  for (const [index, { name, path, client }] of running.entries()) {
    const sights = await ask<Sight[]>(client);
    const ages = sights.map(([version, at]) => at - (changes.get(version) ?? Number.NaN));
    figures.set(name, {
      requestsPerSecond: ((requests[path] ?? 0) * 1_000) / tookMs,
      p50Ms: quantile(ages, 0.5),
      p99Ms: quantile(ages, 0.99),
      busy: ((after[index] ?? 0) - (before[index] ?? 0)) / tookMs,
      missed: changes.size * count - ages.length,
    });
  }
  return { figures, changes: changes.size };
}

async function ask<Answer>(child: ChildProcess): Promise<Answer> {
  child.send('tell');
  const [answer] = (await once(child, 'message')) as [Answer];
  return answer;
}

function print(rows: ReadonlyMap<string, readonly Figures[]>, changes: number): void {
  const titles = PAGES.map((count) => `N = ${count.toLocaleString('en')}`);
  console.log(`N pages, each asks a second after its last answer; ${changes} changes in all`);
  console.log('\nrequests per second at the site');
  printColumns(rows, titles, ({ requestsPerSecond }) => requestsPerSecond.toFixed(1));
  console.log('\nstaleness: ms from a change until a page has it, p50 / p99');
  printColumns(rows, titles, ({ p50Ms, p99Ms }) => `${p50Ms.toFixed(0)} / ${p99Ms.toFixed(0)}`);
  console.log('\nCPU of the contender, % of one core');
  printColumns(rows, titles, ({ busy }) => (busy * 100).toFixed(1));
  for (const [name, figures] of rows) {
    const missed = figures.reduce((sum, each) => sum + each.missed, 0);
    if (missed > 0) console.log(`${name}: ${missed} times a page never had a change`);
  }
}

function printColumns(
  rows: ReadonlyMap<string, readonly Figures[]>,
  titles: readonly string[],
  cellOf: (figures: Figures) => string,
): void {
  const cells = [...rows].map(([name, figures]) => [name, figures.map(cellOf)] as const);
  printTable(titles, cells, { name: 30, cell: 15 });
}

/** A page that polls us adds its own interval to ours. */
function goals(rows: ReadonlyMap<string, readonly Figures[]>): void {
  const ours = [...rows].filter(([name]) => name.startsWith('comet-proxy'));
  printGoals([
    ...ours.map(([name, figures]) => {
      const rates = figures.map(({ requestsPerSecond }) => requestsPerSecond);
      const value = Math.max(...rates) / Math.min(...rates);
      return { name: `${name}: most requests by least, over all N`, value, limit: 1.1 };
    }),
    ...ours.map(([name, figures]) => ({
      name: `${name}: staleness p99`,
      value: Math.max(...figures.map(({ p99Ms }) => p99Ms)),
      limit: (name === PUSHED ? 1 : 2) * INTERVAL_MS + 50,
      digits: 0,
      unit: ' ms',
    })),
  ]);
}

function startMicrocache(upstreamPort: number): Promise<Server> {
  return startNginx(upstreamPort, (folder) => ({
    http: `proxy_cache_path ${folder}/cache keys_zone=micro:1m;`,
    location: `
      proxy_cache micro;
      proxy_cache_valid 1s;
      proxy_cache_lock on;
      proxy_cache_use_stale updating;
      proxy_cache_background_update on;`,
  }));
}

function startUs(polls: 'absorb' | 'hold' | 'pass') {
  return (upstreamPort: number, path: string) =>
    startProxy({
      site: `http://127.0.0.1:${upstreamPort}`,
      live: { [path]: { every: `${INTERVAL_MS}ms`, vary: [], polls } },
      limits: LIMITS,
      log: { level: 'error' },
    });
}
