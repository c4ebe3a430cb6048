import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/load.ts';
import { discover } from '../../src/discovery/discovery.ts';
import { readTraffic } from '../../src/discovery/read-traffic.ts';
import { FILE_LIMITS, Traffic } from '../../src/discovery/traffic.ts';
import type { DiscoveryReport } from '../../src/shared/discovery-report.ts';
import type { Happening } from './mixed-traffic.ts';
import { logLine, mixedTraffic, POLLED } from './mixed-traffic.ts';

async function* linesOf(all: readonly Happening[]): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < all.length; at += 1_000) {
    const lines = all.slice(at, at + 1_000).map((happening) => logLine(happening, 'micros'));
    yield Buffer.from(`${lines.join('\n')}\n`);
  }
}

async function discoverIn(all: readonly Happening[]): Promise<DiscoveryReport> {
  const traffic = new Traffic({ limits: FILE_LIMITS, key: [5, 6], texts: 'keep' });
  const { read, unreadable } = await readTraffic(linesOf(all), 'log', traffic);
  assert.deepEqual([read, unreadable], [all.length, 0]);
  return discover(traffic, { kind: 'files', unreadable });
}

/** What was found as it should be, what was not, and what is no poll at all. */
function judged({ found }: DiscoveryReport): { missed: string[]; falseAlarms: string[] } {
  const left = new Map(POLLED.map(([request, kind, ms]) => [`${request} ${kind}`, ms]));
  const falseAlarms: string[] = [];
  for (const { method, path, kind, intervalMs = 0 } of found) {
    const key = `${method} ${path} ${kind}`;
    const wantedMs = left.get(key);
    const isRight = wantedMs !== undefined && Math.abs(intervalMs - wantedMs) <= 0.02 * wantedMs;
    if (isRight) left.delete(key);
    else falseAlarms.push(`${key} every ${intervalMs}`);
  }
  return { missed: [...left.keys()], falseAlarms };
}

for (const seed of [1, 2, 3]) {
  test(`in mixed traffic exactly what is polled is found, with its interval (seed ${seed})`, async (t) => {
    const all = mixedTraffic(seed);
    const report = await discoverIn(all);
    const { missed, falseAlarms } = judged(report);
    t.diagnostic(
      `${all.length} requests: ${POLLED.length - missed.length} of ${POLLED.length} found, ${falseAlarms.length} false alarms`,
    );
    assert.deepEqual({ missed, falseAlarms }, { missed: [], falseAlarms: [] });
    const { config = '' } = report;
    const paths = Object.keys(
      parseConfig(`{"site": "http://a.example", ${config}}`, 'x', { variables: {} }).live,
    );
    assert.deepEqual(paths.sort(), [
      '/api/orders/:id',
      '/api/queue',
      '/api/status',
      '/board.php',
      '/camera.png',
    ]);
  });
}

test('the same traffic without its timers raises no alarm, and says why', async () => {
  const polled = new Set(
    POLLED.map(([request]) => request.split(' ')[1]?.replace('/:id', '') ?? ''),
  );
  const isPolled = ({ target }: Happening) =>
    [...polled].some(
      (path) => target === path || target.startsWith(`${path}?`) || target.startsWith(`${path}/`),
    );
  for (const seed of [11]) {
    const all = mixedTraffic(seed).filter(
      (happening) => !isPolled(happening) && happening.target !== '/board-data',
    );
    const { found, notes, config } = await discoverIn(all);
    assert.deepEqual(found, []);
    assert.equal(config, undefined);
    assert.match(notes.join('\n'), /^nothing is polled: nobody asks for the same/);
  }
});

test('what one client out of many asks for at steady times is not polled', async () => {
  const all = mixedTraffic(21);
  const [first] = all;
  assert.ok(first);
  // Somebody who reloads the start page every 20 s, where 60 others look at it now and then.
  const reloads = Array.from({ length: 60 }, (_, i) => ({
    ...first,
    address: '10.77.0.1',
    target: '/',
    atMs: first.atMs + i * 20_000,
  }));
  const { falseAlarms } = judged(
    await discoverIn([...all, ...reloads].sort((a, b) => a.atMs - b.atMs)),
  );
  assert.deepEqual(falseAlarms, []);
});
