import { delay, median, printGoals, printTable } from './figures.ts';
import { startProxy } from './processes.ts';
import { stop } from './push/child.ts';
import { cpuMsOfEach } from './push/cost.ts';
import { hasRoomFor, versions } from './push/machine.ts';
import { configFor, WAYS } from './push/ours.ts';
import { startPolledSite } from './push/site.ts';
import { openSubscribers } from './push/subscribers.ts';

/*
 * What several processes make of one proxy: how much more they can deliver, given a core each, and
 * what that costs. The clients of this machine need its cores too, so what can be delivered at most
 * is not tried but worked out: whichever process has the most to do is the first that can do no more.
 */

const SUBSCRIBERS = 4_000;
const BYTES = 100;
const INTERVAL_MS = 200;
/** As clients arrive in the course of time: in a storm the edge that is free gets more of them. */
const AT_ONCE = 4;
const SECONDS = 4;
const ROUNDS = 3;
const WORKERS = [1, 2, 4];

/** CPU in microseconds for each message that was delivered, by whichever process. */
interface Turn {
  readonly all: number;
  readonly busiest: number;
  /** Polls, of what is polled in one process or in the hub. */
  readonly pollsPerSecond: number;
  /** Each subscriber was told of so many changes for each one that was made. */
  readonly complete: number;
}

export async function run(): Promise<void> {
  console.log(versions());
  if (!hasRoomFor(SUBSCRIBERS)) return;
  const turns = new Map<number, Turn[]>(WORKERS.map((workers) => [workers, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const workers of WORKERS) turns.get(workers)?.push(await measure(workers));
  }
  const of = (workers: number, what: keyof Turn) =>
    median(turns.get(workers)?.map((turn) => turn[what]) ?? []);
  const capacity = (workers: number) =>
    median(
      turns.get(workers)?.map(({ busiest }, index) => {
        return (turns.get(1)?.[index]?.busiest ?? Number.NaN) / busiest;
      }) ?? [],
    );

  console.log(
    `\n${SUBSCRIBERS} subscribers (sse), ${BYTES} B, each ${INTERVAL_MS} ms; median of ${ROUNDS}`,
  );
  const titles = ['us/message', 'busiest', 'deliveries/s', 'x one', 'polls/s', 'complete'];
  const rows = WORKERS.map((workers): [string, string[]] => [
    `workers: ${workers}`,
    [
      of(workers, 'all').toFixed(1),
      of(workers, 'busiest').toFixed(1),
      Math.round(1e6 / of(workers, 'busiest')).toLocaleString('en'),
      capacity(workers).toFixed(2),
      of(workers, 'pollsPerSecond').toFixed(1),
      `${(of(workers, 'complete') * 100).toFixed(1)} %`,
    ],
  ]);
  printTable(titles, rows, { name: 16, cell: 14 });
  printGoals([
    {
      name: 'two workers: 1.7 x the deliveries per second of one (inverse)',
      value: 1 / capacity(2),
      limit: 1 / 1.7,
    },
  ]);
}

async function measure(workers: number): Promise<Turn> {
  const site = await startPolledSite(BYTES);
  const config = configFor(site.port, { every: `${INTERVAL_MS}ms` }, SUBSCRIBERS);
  const { process: proxy, port } = await startProxy({ ...config, workers });
  const subscribers = openSubscribers({
    port,
    connections: SUBSCRIBERS,
    atOnce: AT_ONCE,
    endpoints: 1,
    speech: WAYS.sse.speech,
  });
  const pid = proxy.pid ?? 0;
  try {
    await subscribers.ready();
    await delay(1_000);
    const before = {
      ...(await subscribers.count()),
      cpu: cpuMsOfEach(pid),
      made: site.made.length,
    };
    await delay(SECONDS * 1_000);
    const after = { ...(await subscribers.count()), cpu: cpuMsOfEach(pid), made: site.made.length };
    const messages = after.messages - before.messages;
    const polls = after.made - before.made;
    const each = after.cpu.map((ms, index) => ms - (before.cpu[index] ?? 0));
    return {
      all: (each.reduce((sum, ms) => sum + ms, 0) * 1_000) / messages,
      busiest: (Math.max(...each) * 1_000) / messages,
      pollsPerSecond: polls / SECONDS,
      complete: messages / (polls * SUBSCRIBERS),
    };
  } finally {
    await subscribers.close();
    await stop(proxy, 'SIGTERM');
    site.close();
  }
}
