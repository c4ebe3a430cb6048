import { delay, median, printTable } from './figures.ts';
import { startProxy } from './processes.ts';
import { freePorts, stop } from './push/child.ts';
import { cpuMsOf } from './push/cost.ts';
import { hasRoomFor, versions } from './push/machine.ts';
import { INSTALL, isInstalled, NCHAN_WAYS, publishTo, startNchan } from './push/nchan.ts';
import type { Way } from './push/ours.ts';
import { configFor, WAYS } from './push/ours.ts';
import { startPublisher, startQuietSite } from './push/site.ts';
import type { Speech } from './push/subscribers.ts';
import { openSubscribers } from './push/subscribers.ts';

/*
 * What it costs to begin: subscribers who come, get the state and go, on new connections; and the
 * storm after a restart, when all who were there come back at once: how long until the last of them
 * has the state again. That begins when the new server listens, with an empty memory: the proxy has
 * to ask its site, Nchan is told the state at once.
 */
const COMING_AND_GOING = 50;
const CHURN_MS = 3_000;
const STORM = 9_000;
const BYTES = 100;
const ROUNDS = 3;

/** A server whose state is there, on this port if it is to replace another one. */
interface Begun {
  readonly pid: number;
  readonly port: number;
  close(): Promise<void>;
}

interface Contender {
  readonly name: string;
  readonly speech: Speech;
  start(ports: readonly number[]): Promise<Begun>;
}

/** `npm run bench connect`: both; `connect churn` or `connect storm`: one of them. */
export async function run([wanted]: readonly string[] = []): Promise<void> {
  console.log(versions());
  if (!isInstalled()) console.log(INSTALL);
  const peers = isInstalled() ? [NCHAN] : [];
  const site = await startQuietSite(BYTES);
  const ours = [WAYS.sse, WAYS.ws, WAYS.stream].map((way) => proxy(way, site.port));
  try {
    if (wanted !== 'storm') await compareChurn([...ours, ...peers]);
    if (wanted !== 'churn' && hasRoomFor(STORM)) await compareStorms([...ours, ...peers]);
  } finally {
    site.close();
  }
}

async function compareChurn(contenders: readonly Contender[]): Promise<void> {
  const turns = await takeTurns(contenders, churn);
  const rows = [...turns].map(([name, values]): [string, string[]] => {
    const rates = values.map(({ perSecond }) => perSecond);
    const costs = values.map(({ cpuMicroseconds }) => cpuMicroseconds);
    return [name, [median(rates).toFixed(0), median(costs).toFixed(0)]];
  });
  console.log(`\nsubscribers who come and go, ${COMING_AND_GOING} at once; median of ${ROUNDS}`);
  printTable(['per second', 'CPU us each'], rows, { name: 40, cell: 14 });
}

async function compareStorms(contenders: readonly Contender[]): Promise<void> {
  const turns = await takeTurns(contenders, storm);
  const rows = [...turns].map(([name, values]): [string, string[]] => {
    const times = values.map(({ allMs }) => allMs);
    const costs = values.map(({ cpuMs }) => cpuMs);
    return [
      name,
      [median(times).toFixed(0), Math.max(...times).toFixed(0), median(costs).toFixed(0)],
    ];
  });
  console.log(`\n${STORM} subscribers come back after a restart; median of ${ROUNDS}`);
  printTable(['all after ms', 'at worst', 'CPU ms'], rows, { name: 40, cell: 14 });
}

async function takeTurns<T>(
  contenders: readonly Contender[],
  measure: (contender: Contender) => Promise<T>,
): Promise<Map<string, T[]>> {
  const turns = new Map<string, T[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const contender of contenders) {
      turns.get(contender.name)?.push(await measure(contender));
    }
  }
  return turns;
}

async function churn({ speech, start }: Contender) {
  const { port, pid, close } = await start(await freePorts(2));
  // Who stays keeps the state there.
  const staying = openSubscribers({ port, connections: 1, atOnce: 1, endpoints: 1, speech });
  await staying.ready();
  const crowd = openSubscribers({
    port,
    connections: COMING_AND_GOING,
    atOnce: COMING_AND_GOING,
    endpoints: 1,
    speech: { ...speech, mode: 'churn' },
  });
  try {
    await delay(1_000);
    const sample = async () => ({
      ...(await crowd.count()),
      cpuMs: cpuMsOf(pid),
      at: process.hrtime.bigint(),
    });
    const before = await sample();
    await delay(CHURN_MS);
    const after = await sample();
    const served = after.messages - before.messages;
    return {
      perSecond: served / (Number(after.at - before.at) / 1e9),
      cpuMicroseconds: ((after.cpuMs - before.cpuMs) * 1_000) / served,
    };
  } finally {
    await crowd.close();
    await staying.close();
    await close();
  }
}

async function storm({ speech, start }: Contender) {
  const ports = await freePorts(2);
  const first = await start(ports);
  const crowd = openSubscribers({
    port: first.port,
    connections: STORM,
    atOnce: STORM,
    endpoints: 1,
    speech,
  });
  try {
    await crowd.ready();
    const lost = crowd.lost(STORM);
    await first.close();
    await lost;
  } catch (error) {
    await crowd.close();
    await first.close();
    throw error;
  }
  const second = await start(ports);
  try {
    const [from, cpuMs] = [process.hrtime.bigint(), cpuMsOf(second.pid)];
    crowd.reconnect();
    const to = await crowd.ready();
    return { allMs: Number(to - from) / 1e6, cpuMs: cpuMsOf(second.pid) - cpuMs };
  } finally {
    await crowd.close();
    await second.close();
  }
}

function proxy({ name, speech, endpoint }: Way, sitePort: number): Contender {
  return {
    name: `comet-proxy: ${name}`,
    speech,
    async start([port = 0]) {
      const config = configFor(sitePort, { every: '2s', ...endpoint }, STORM);
      const { process: child } = await startProxy({ ...config, listen: `127.0.0.1:${port}` });
      return { port, pid: child.pid ?? 0, close: () => stop(child) };
    },
  };
}

const NCHAN: Contender = {
  name: 'Nchan: sse',
  speech: NCHAN_WAYS.sse,
  async start(ports) {
    const server = await startNchan({ ports });
    const places = [publishTo(server.publishPort, 0)];
    const publisher = await startPublisher(places, { bytes: BYTES, intervalMs: 3_600_000 });
    return {
      port: server.port,
      pid: server.pid,
      async close() {
        publisher.close();
        await server.close();
      },
    };
  },
};
