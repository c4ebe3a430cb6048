import { availableParallelism } from 'node:os';
import type { RunningProxy } from '../main.ts';
import { startProxy } from '../main.ts';
import { createLogger } from '../shared/logger.ts';
import type { RunningWorkers } from '../start-workers.ts';
import { startWorkers } from '../start-workers.ts';
import type { CliOptions } from './config.ts';
import { readOnceOrExplain } from './config.ts';
import { EXIT } from './exit.ts';
import { logFormat } from './log-format.ts';

/** Serve until a signal says to stop. Resolves with the exit code. */
export async function run(options: CliOptions): Promise<number> {
  const read = readOnceOrExplain(options);
  if (!read) return EXIT.config;
  const { config, source } = read;
  const log = createLogger({ level: config.log.level, format: logFormat(config) });
  const workers = config.workers === 'auto' ? availableParallelism() : config.workers;

  let proxy: RunningProxy | RunningWorkers;
  try {
    proxy =
      workers > 1
        ? await startWorkers({ config, source, edges: workers, log })
        : await startProxy(config, { log });
  } catch (error) {
    console.error(`comet-proxy: cannot listen: ${error instanceof Error ? error.message : error}`);
    return EXIT.unavailable;
  }
  const signalled = nextSignal();
  process.on('SIGHUP', () => {
    log.info({}, 'reading certificates again');
    proxy.reload();
  });
  for (const url of proxy.urls) console.log(`listening on ${url}`);
  if (proxy.adminUrl !== undefined) console.log(`admin listener on ${proxy.adminUrl}`);
  if (Number(process.versions.node.split('.')[0]) < 22) {
    log.info({}, 'Node 20 gets no security fixes any more: Node 22 or later is recommended');
  }
  const signal = await signalled;
  const counted = 'streamCount' in proxy ? { streams: proxy.streamCount } : {};
  const seconds = Math.round(config.limits.drain / 1_000);
  log.info({ signal, ...counted }, `draining for at most ${seconds} s, once more to stop now`);
  await proxy.drain();
  log.info({}, 'stopped');
  return EXIT.ok;
}

/** The first SIGTERM or SIGINT; a second one exits at once. */
function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let received = 0;
    const onSignal = (name: NodeJS.Signals) => {
      received += 1;
      if (received > 1) process.exit(name === 'SIGINT' ? 130 : 143);
      resolve(name);
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
