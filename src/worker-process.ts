import type { CliOptions } from './commands/config.ts';
import { readConfig } from './commands/config.ts';
import { EXIT } from './commands/exit.ts';
import { logFormat } from './commands/log-format.ts';
import { systemClock } from './shared/clock.ts';
import type { Logger } from './shared/logger.ts';
import { createLogger } from './shared/logger.ts';
import type { ProcessMessage, SupervisorMessage } from './supervisor/messages.ts';
import type { Kinship } from './workers.ts';
import { startEdge, startHub } from './workers.ts';

/*
 * The program of one process of several: it is started by `startWorkers`, which tells it what to be.
 */

/** What a process is told by its supervisor. */
export interface WorkerSettings {
  readonly role: 'hub' | 'edge';
  readonly source: CliOptions;
  /** The secret in base64. */
  readonly kinship: Omit<Kinship, 'secret'> & { readonly secret: string };
}

/** What it is then. */
interface Running {
  readonly urls?: readonly string[];
  readonly adminUrl?: string | undefined;
  drain(): Promise<void>;
  reload?(): void;
}

// Ctrl-C and a closed terminal mean the supervisor, which says what is to be done.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);
// Without it nobody would say when to end.
process.on('disconnect', () => process.exit(EXIT.unavailable));
process.once('message', (message: SupervisorMessage) => {
  if (message.kind === 'start') void serve(message.name, message.settings as WorkerSettings);
});
say({ kind: 'up' });

async function serve(name: string, settings: WorkerSettings): Promise<void> {
  let running: Running;
  let log: Logger;
  try {
    const config = readConfig(settings.source);
    log = createLogger({ level: config.log.level, format: logFormat(config), process: name });
    const surroundings = { log, clock: systemClock, random: Math.random };
    const { secret, ...others } = settings.kinship;
    const kinship = { ...others, secret: Buffer.from(secret, 'base64') };
    running = await START[settings.role](config, kinship, surroundings);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return say({ kind: 'failed', why }, () => process.exit(EXIT.unavailable));
  }
  let isDraining = false;
  const drain = async () => {
    if (isDraining) return;
    isDraining = true;
    await running.drain();
    process.exit(EXIT.ok);
  };
  const drainOrEnd = () => {
    drain().catch((error: unknown) => {
      log.error({ err: error }, 'draining failed');
      process.exit(EXIT.internal);
    });
  };
  process.on('message', (message: SupervisorMessage) => {
    if (message.kind === 'reload') running.reload?.();
    if (message.kind === 'drain') drainOrEnd();
  });
  // To an edge alone: another one takes its place. Nobody can take the hub's without a gap.
  process.on('SIGTERM', () => {
    if (settings.role === 'edge') drainOrEnd();
  });
  const { urls = [], adminUrl } = running;
  say({ kind: 'ready', urls, ...(adminUrl === undefined ? {} : { adminUrl }) });
}

const START: Readonly<
  Record<WorkerSettings['role'], (...args: Parameters<typeof startHub>) => Promise<Running>>
> = {
  async hub(...args) {
    const hub = await startHub(...args);
    return { adminUrl: hub.adminUrl, drain: () => hub.close() };
  },
  async edge(...args) {
    const edge = await startEdge(...args);
    const [, , { log }] = args;
    return {
      urls: edge.urls,
      drain() {
        log.info({ streams: edge.streamCount }, 'draining');
        return edge.drain();
      },
      reload: () => edge.reload(),
    };
  },
};

function say(message: ProcessMessage, onSent: () => void = () => undefined): void {
  process.send?.(message, undefined, undefined, onSent);
}
