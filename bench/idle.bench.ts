import { fileURLToPath } from 'node:url';
import type { Goal } from './figures.ts';
import { delay, median, printGoals, printTable } from './figures.ts';
import { report, startProxy } from './processes.ts';
import { memoryOf } from './push/cost.ts';
import { hasRoomFor, versions } from './push/machine.ts';
import { INSTALL, isInstalled, NCHAN_WAYS, publishTo, startNchan } from './push/nchan.ts';
import type { Way } from './push/ours.ts';
import { configFor, WAYS } from './push/ours.ts';
import { startPublisher, startQuietSite } from './push/site.ts';
import type { Speech, Subscribers } from './push/subscribers.ts';
import { openSubscribers } from './push/subscribers.ts';

/*
 * What a subscriber costs who only waits: memory of the server, by transport. "held" is what is left
 * on the heaps of Node after a collection, "resident" what the kernel says, which is more: heaps grow
 * by more than they need. Sockets of the kernel are in neither. Some come first, and are not counted,
 * so that what there is only once is not divided among the others.
 */
const SUBSCRIBERS = 5_000;
const FIRST = 500;
const BYTES = 100;
/** What subscribers leave behind when they come is to be gone, and polls are to wait. */
const SETTLING_MS = 1_000;
const ROUNDS = 3;
const WAITING: readonly Way[] = [
  WAYS.sse,
  WAYS.sseGzip,
  WAYS.sseEnveloped,
  WAYS.stream,
  WAYS.multipart,
  WAYS.iframe,
  WAYS.ws,
  WAYS.poll,
];

interface Memory {
  /** Per subscriber. */
  readonly held?: number;
  readonly resident: number;
}

/** `npm run bench idle`: three rounds; `npm run bench idle sse`: those that have this in their name. */
export async function run([wanted = '']: readonly string[] = []): Promise<void> {
  console.log(versions());
  if (!hasRoomFor(FIRST + SUBSCRIBERS)) return;
  const measured = new Map<string, Memory[]>();
  const add = (name: string, memory: Memory) =>
    measured.set(name, [...(measured.get(name) ?? []), memory]);
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of WAITING.filter(({ name }) => name.includes(wanted))) {
      add(way.name, await ofProxy(way));
    }
    if (isInstalled()) add('Nchan: sse', await ofNchan());
    else if (round === 0) console.log(INSTALL);
  }
  console.log(`\nbytes per idle subscriber, ${SUBSCRIBERS} of them; median of ${ROUNDS}`);
  const rows = [...measured].map(([name, rounds]): [string, string[]] => {
    const held = median(rounds.map((memory) => memory.held ?? Number.NaN));
    const resident = median(rounds.map((memory) => memory.resident));
    return [name, [Number.isNaN(held) ? '-' : held.toFixed(0), resident.toFixed(0)]];
  });
  printTable(['held', 'resident'], rows, { name: 40, cell: 12 });
  const ours = measured.get(WAYS.sse.name) ?? [];
  if (ours.length > 0) printGoals(goalsFor(ours));
}

function goalsFor(ours: readonly Memory[]): Goal[] {
  const limit = 11 * 1_024;
  return [
    {
      name: 'sse, own URL: held',
      value: median(ours.map(({ held = Number.NaN }) => held)),
      limit,
      digits: 0,
    },
    {
      name: 'sse, own URL: resident',
      value: median(ours.map(({ resident }) => resident)),
      limit,
      digits: 0,
    },
  ];
}

async function ofProxy({ speech, endpoint }: Way): Promise<Memory> {
  const site = await startQuietSite(BYTES);
  const module = fileURLToPath(new URL('memory-report.js', import.meta.url));
  const { process: proxy, port } = await startProxy(
    configFor(site.port, { every: '2s', ...endpoint }, FIRST + SUBSCRIBERS),
    ['--expose-gc', '--import', module],
  );
  const memory = async () => {
    const { held, rss } = (await report(proxy, 'memory')) as { held: number; rss: number };
    return { held, resident: rss };
  };
  return perSubscriber(port, speech, memory, async () => {
    proxy.kill('SIGKILL');
    site.close();
  });
}

async function ofNchan(): Promise<Memory> {
  const server = await startNchan();
  const places = [publishTo(server.publishPort, 0)];
  const publisher = await startPublisher(places, { bytes: BYTES, intervalMs: 3_600_000 });
  const memory = async () => ({ held: undefined, resident: memoryOf(server.pid) });
  return perSubscriber(server.port, NCHAN_WAYS.sse, memory, async () => {
    publisher.close();
    await server.close();
  });
}

async function perSubscriber(
  port: number,
  speech: Speech,
  memory: () => Promise<{ held: number | undefined; resident: number }>,
  close: () => Promise<void>,
): Promise<Memory> {
  const crowds: Subscribers[] = [];
  const open = async (connections: number) => {
    const crowd = openSubscribers({ port, connections, atOnce: 100, endpoints: 1, speech });
    crowds.push(crowd);
    await crowd.ready();
    await delay(SETTLING_MS);
  };
  try {
    await open(FIRST);
    const before = await memory();
    await open(SUBSCRIBERS);
    const after = await memory();
    const held = ((after.held ?? Number.NaN) - (before.held ?? Number.NaN)) / SUBSCRIBERS;
    const resident = (after.resident - before.resident) / SUBSCRIBERS;
    return Number.isNaN(held) ? { resident } : { held, resident };
  } finally {
    for (const crowd of crowds) await crowd.close();
    await close();
  }
}
