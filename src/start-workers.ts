import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CliOptions } from './commands/config.ts';
import type { Config } from './config/schema.ts';
import { removeStaleSocket } from './server/bind.ts';
import { pseudonymOf } from './server/loops.ts';
import { systemClock } from './shared/clock.ts';
import type { Logger } from './shared/logger.ts';
import { KeptProcess } from './supervisor/kept-process.ts';
import type { WorkerSettings } from './worker-process.ts';

/** A proxy of several processes: one that polls, and several that face clients. */
export interface RunningWorkers {
  /** What it accepts connections on. */
  readonly urls: readonly string[];
  /** Where the admin listener is, if there is one. */
  readonly adminUrl: string | undefined;
  drain(): Promise<void>;
  close(): Promise<void>;
  reload(): void;
}

/** What workers are started with. */
export interface WorkersOptions {
  readonly config: Config;
  /** What the config was read from: each process reads it again. */
  readonly source: CliOptions;
  /** How many face clients. */
  readonly edges: number;
  readonly log: Logger;
}

/** After the time for draining: for ending the processes themselves. */
const GRACE_MS = 5_000;
const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const ENTRY = fileURLToPath(new URL(`./worker-process.${EXTENSION}`, import.meta.url));
/** See bin/comet-proxy.js. */
const V8_FLAGS = ['--no-allocation-site-pretenuring'];

/**
 * Start a proxy of several processes, and keep it running: what ends by itself is started again.
 * This process only hands over connections.
 *
 * @throws when one of them cannot do its work, for instance since an address is in use.
 */
export async function startWorkers(options: WorkersOptions): Promise<RunningWorkers> {
  const { config, edges: count, log } = options;
  const { folder, remove } = makePrivateFolder();
  const execArgv = [...process.execArgv, ...V8_FLAGS];
  cluster.setupPrimary({ exec: ENTRY, execArgv, args: [] });
  const kinship = {
    path: join(folder, 'hub.sock'),
    secret: randomBytes(32).toString('base64'),
    pseudonym: config.via ? pseudonymOf() : undefined,
    edges: count,
  };
  const keep = (role: WorkerSettings['role'], name: string, launch: KeptLaunch) => {
    // SECURITY: the secret goes through a pipe, since arguments and environments can be read by others.
    const settings: WorkerSettings = { role, source: options.source, kinship };
    return new KeptProcess({ name, launch, settings, clock: systemClock, log });
  };
  const hub = keep('hub', 'hub', () => fork(ENTRY, [], { execArgv }));
  const edges = Array.from({ length: count }, (_, index) =>
    keep('edge', `edge ${index + 1}`, forkEdge),
  );
  const close = async () => {
    await Promise.all([...edges, hub].map((each) => each.kill()));
    remove();
  };
  try {
    for (const { address } of config.listen) {
      if (address.kind === 'unix') await removeStaleSocket(address.path);
    }
    const { adminUrl } = await hub.start();
    const ready = await Promise.all(edges.map((edge) => edge.start()));
    return {
      urls: ready[0]?.urls ?? [],
      adminUrl,
      async drain() {
        await Promise.all(edges.map((edge) => edge.stop(config.limits.drain + GRACE_MS)));
        await hub.stop(GRACE_MS);
        remove();
      },
      close,
      reload() {
        for (const edge of edges) edge.send({ kind: 'reload' });
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function forkEdge(): ChildProcess {
  const worker = cluster.fork();
  // The process says so as well.
  worker.on('error', () => undefined);
  return worker.process;
}

type KeptLaunch = ConstructorParameters<typeof KeptProcess>[0]['launch'];

/** SECURITY: nobody else may put a socket in the place of the hub's. */
function makePrivateFolder(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'comet-proxy-'));
  const remove = () => {
    process.off('exit', remove);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', remove);
  return { folder, remove };
}
