import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { checkConfig } from '../../src/config/load.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { Kinship, RunningEdge, RunningHub } from '../../src/workers.ts';
import { startEdge, startHub } from '../../src/workers.ts';
import type { LogLine } from './recording-log.ts';
import { recordingLog } from './recording-log.ts';

/** An edge under test, on a port of its own: so that a test knows whom it asks. */
export interface TestEdge extends RunningEdge {
  readonly url: string;
}

/** The hub and the edges of one proxy, all in this process. */
export interface TestWorkers {
  readonly hub: RunningHub;
  readonly edges: readonly TestEdge[];
  readonly lines: LogLine[];
  /** What they have in common, for one more of them. */
  readonly kinship: Kinship;
  /** End the hub as a crash would, and nothing else. */
  stopHub(): Promise<void>;
  /** Start another one in its place. */
  startHub(): Promise<RunningHub>;
}

/** Start a hub with its edges with this config (as it would stand in a file). */
export async function startTestWorkers(
  t: TestContext,
  config: Record<string, unknown>,
  { edges: count = 2, clock = systemClock }: { edges?: number; clock?: Clock | undefined } = {},
): Promise<TestWorkers> {
  const { log, lines } = recordingLog();
  const complete = checkConfig({ listen: '127.0.0.1:0', ...config }, 'test');
  const folder = mkdtempSync(join(tmpdir(), 'comet-proxy-'));
  const kinship = {
    path: join(folder, 'hub.sock'),
    secret: randomBytes(32),
    pseudonym: complete.via ? `comet-proxy-${randomBytes(4).toString('hex')}` : undefined,
    edges: count,
  };
  const surroundings = { log, clock, random: Math.random };
  const begin = () => startHub(complete, kinship, surroundings);
  let hub = await begin();
  const edges: TestEdge[] = [];
  t.after(async () => {
    for (const edge of edges) await edge.close();
    await hub.close();
    rmSync(folder, { recursive: true });
  });
  for (let index = 0; index < count; index++) {
    const edge = await startEdge(complete, kinship, surroundings);
    edges.push(Object.assign(edge, { url: edge.urls[0] ?? '' }));
  }
  return {
    get hub() {
      return hub;
    },
    edges,
    lines,
    kinship,
    stopHub: () => hub.close(),
    async startHub() {
      hub = await begin();
      return hub;
    },
  };
}
