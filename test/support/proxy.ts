import type { TestContext } from 'node:test';
import { checkConfig } from '../../src/config/load.ts';
import type { RunningProxy } from '../../src/main.ts';
import { startProxy } from '../../src/main.ts';
import type { Clock } from '../../src/shared/clock.ts';
import type { LogLine } from './recording-log.ts';
import { recordingLog } from './recording-log.ts';
import { startTestWorkers } from './workers.ts';

/** A proxy under test, on a free port of the loopback. */
export interface TestProxy extends RunningProxy {
  readonly url: string;
  readonly port: number;
  readonly lines: LogLine[];
}

/**
 * Start a proxy with this config (as it would stand in a file); closed when the test ends.
 *
 * With `COMET_PROXY_TEST_WORKERS=1` it is a hub with an edge: nobody may see a difference.
 */
export async function startTestProxy(
  t: TestContext,
  config: Record<string, unknown>,
  clock?: Clock,
): Promise<TestProxy> {
  if (process.env['COMET_PROXY_TEST_WORKERS'] === '1') return startOneEdge(t, config, clock);
  const { log, lines } = recordingLog();
  const complete = checkConfig({ listen: '127.0.0.1:0', ...config }, 'test');
  const proxy = await startProxy(complete, { log, ...(clock ? { clock } : {}) });
  t.after(() => proxy.close());
  const url = proxy.urls[0] ?? '';
  return Object.assign(proxy, { url, port: Number(new URL(url).port), lines });
}

async function startOneEdge(
  t: TestContext,
  config: Record<string, unknown>,
  clock: Clock | undefined,
): Promise<TestProxy> {
  const { hub, edges, lines } = await startTestWorkers(t, config, { edges: 1, clock });
  const [edge] = edges;
  if (!edge) throw new Error('no edge');
  const proxy = {
    urls: edge.urls,
    adminUrl: hub.adminUrl,
    get streamCount() {
      return edge.streamCount;
    },
    async drain() {
      await edge.drain();
      await hub.close();
    },
    async close() {
      await edge.close();
      await hub.close();
    },
    reload: () => edge.reload(),
  };
  const { url } = edge;
  return Object.assign(proxy, { url, port: Number(new URL(url).port), lines });
}
