import { fileURLToPath } from 'node:url';
import { startMortalUpstream } from '../test/support/mortal-upstream.ts';
import type { Told, Wish } from '../test/support/stream-crowd.ts';
import { openCrowd } from '../test/support/stream-crowd.ts';
import { report, startProxy } from './processes.ts';

/*
 * The site goes down for a minute under two thousand streams, in real time: how it is left alone
 * meanwhile, what streams are told, and how it is met when it is back. Nothing is compared with
 * another program; the figures that would be due without care stand beside it.
 */
const SUBSCRIBERS = 2_000;
const INTERVAL_MS = 2_000;
const BEFORE_MS = 10_000;
const DOWN_MS = 60_000;
const AFTER_MS = 15_000;
const WINDOW_MS = 10_000;
/** How long the site takes to answer. */
const ANSWER_MS = 5;

interface Scene {
  readonly title: string;
  readonly channels: number;
  readonly limits: Record<string, unknown>;
}

const SCENES: readonly Scene[] = [
  { title: '20 channels that all share, default limits', channels: 20, limits: {} },
  {
    title: '2,000 channels, one for each stream, up to 2,000 polls a second',
    channels: 2_000,
    limits: { pollsPerSecond: 2_000, channelsPerAddress: 2_000, queriesPerEndpoint: 2_000 },
  },
];

/** Send each storm, and print what came of it. */
export async function run(): Promise<void> {
  for (const scene of SCENES) await send(scene);
}

async function send({ title, channels, limits }: Scene): Promise<void> {
  let version = 1;
  const upstream = await startMortalUpstream({
    bodyOf: (path) => JSON.stringify({ path, version }),
    now: Date.now,
    answerLater: (callback) => void setTimeout(callback, ANSWER_MS),
  });
  const more = { streamsPerAddress: SUBSCRIBERS, connectionsPerAddress: SUBSCRIBERS };
  const counting = fileURLToPath(new URL('count-polls.js', import.meta.url));
  const { process: proxy, port } = await startProxy(
    {
      site: upstream.url,
      live: { '/state/:number': { every: `${INTERVAL_MS}ms`, vary: [] } },
      limits: { ...more, ...limits },
      log: { level: 'error' },
    },
    ['--import', counting],
  );
  const crowd = openCrowd(port, wishes(channels), Date.now);
  try {
    await crowd.opened;
    await delay(BEFORE_MS);
    const diedAt = Date.now();
    upstream.die();
    await delay(DOWN_MS);
    version += 1;
    upstream.mostWaiting = 0;
    const revivedAt = Date.now();
    await upstream.revive();
    await delay(AFTER_MS);
    const madeAt = (await report(proxy, 'polls')) as number[];
    const end = Date.now();
    console.log(`\n${SUBSCRIBERS} streams, ${title}; each channel each ${INTERVAL_MS} ms`);
    const due = (channels * WINDOW_MS) / INTERVAL_MS;
    const whileDown = windows(madeAt, WINDOW_MS, diedAt, revivedAt);
    line('polls in each 10 s while down', `${whileDown.join(', ')} of ${due} that would be due`);
    line('"stale" told to a stream', range(crowd.told.map(countOf('stale'))));
    line('"fresh" told to a stream', range(crowd.told.map(countOf('fresh'))));
    line(
      'new states told to a stream',
      range(crowd.told.map((told) => countOf('snapshot')(told) - 1)),
    );
    line('streams that ended', String(crowd.ended));
    const first = Math.min(...upstream.requestedAt.filter((at) => at >= revivedAt)) - revivedAt;
    const last = Math.max(...crowd.told.map(({ lastAt }) => lastAt)) - revivedAt;
    line('from the return to the first poll', `${first} ms`);
    line('from the return to the last stream that is fresh', `${last} ms`);
    const usual = peak(madeAt, diedAt - 6_000, diedAt);
    const met = peak(madeAt, revivedAt, end);
    line('most polls in 100 ms after the return', `${met}; ${usual} in the six seconds before all`);
    const halves = windows(madeAt, 500, revivedAt, revivedAt + 4_000);
    line('polls in each half second after the return', halves.join(', '));
    line('most polls at once after the return', String(upstream.mostWaiting));
  } finally {
    crowd.close();
    proxy.kill('SIGKILL');
    upstream.close();
  }
}

/** Of both kinds, alternately. */
function wishes(channels: number): Wish[] {
  return Array.from({ length: SUBSCRIBERS }, (_, index) => ({
    transport: index % 2 === 0 ? 'sse' : 'stream',
    urls: [`/state/${index % channels}`],
  }));
}

function countOf(name: string): (told: Told) => number {
  return ({ events }) => events.filter((event) => event === name).length;
}

function range(counts: readonly number[]): string {
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  return least === most ? `${least}` : `${least} to ${most}`;
}

function peak(moments: readonly number[], from: number, to: number): number {
  return Math.max(...windows(moments, 100, from, to));
}

function windows(moments: readonly number[], lengthMs: number, from: number, to: number): number[] {
  const counts = Array.from({ length: Math.floor((to - from) / lengthMs) }, () => 0);
  for (const at of moments) {
    const index = Math.floor((at - from) / lengthMs);
    const count = counts[index];
    if (count !== undefined) counts[index] = count + 1;
  }
  return counts;
}

function line(name: string, figure: string): void {
  console.log(`  ${name.padEnd(50)}${figure}`);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
