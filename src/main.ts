import { randomBytes } from 'node:crypto';
import type { Config } from './config/schema.ts';
import { openFront } from './front.ts';
import { createLivePaths } from './live/endpoint.ts';
import { openPolling } from './polling.ts';
import { pseudonymOf } from './server/loops.ts';
import type { Clock } from './shared/clock.ts';
import { systemClock } from './shared/clock.ts';
import type { Logger } from './shared/logger.ts';
import { startAdmin } from './start-admin.ts';
import { createStores } from './stores.ts';

/** A running proxy. */
export interface RunningProxy {
  /** What it accepts connections on, such as `http://127.0.0.1:8080`. */
  readonly urls: readonly string[];
  /** Where the admin listener is, if there is one: `http://127.0.0.1:9090`, `unix:/run/x.sock`. */
  readonly adminUrl: string | undefined;
  /** Streams open now. */
  readonly streamCount: number;
  /**
   * Stop accepting, let answers finish, end streams with a hint when to come back. Resolves when
   * all is over, at the latest after the config's `limits.drain`.
   */
  drain(): Promise<void>;
  /** End everything now. */
  close(): Promise<void>;
  /** Read certificates again. What cannot be read stays as it was, and is logged. */
  reload(): void;
}

/** What tests replace. */
export interface ProxyDependencies {
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
}

/**
 * Start a proxy in this process.
 *
 * The way of a request (`front.ts`): listener, guard, router, then pass-through or live. The way of
 * an event (`polling.ts`): poll, detect, feed, backplane, channel; from there to whoever faces
 * clients: subscriber, transport.
 *
 * @throws the system's error when an address cannot be listened on.
 */
export async function startProxy(
  config: Config,
  dependencies: ProxyDependencies,
): Promise<RunningProxy> {
  const { log, clock = systemClock, random = Math.random } = dependencies;
  const surroundings = { log, clock, random };
  const pseudonym = config.via ? pseudonymOf() : undefined;
  const livePaths = createLivePaths(config.live);
  const endpoints = livePaths.flatMap((path) => path.endpoints);
  const stores = createStores(config.limits, surroundings);
  const common = { ...surroundings, config, stores, pseudonym };
  const polling = openPolling({ ...common, endpoints, secret: randomBytes(32) });
  const parts: { close(): Promise<void> }[] = [polling];
  const closeAll = async () => {
    for (const part of [...parts].reverse()) await part.close();
  };
  try {
    const ticketSecret = randomBytes(32);
    const front = await openFront({ ...common, livePaths, supply: polling.feeds, ticketSecret });
    parts.push(front);
    const admin = await startAdmin(config, { ...polling, config, livePaths, front }, surroundings);
    if (admin) parts.push(admin);
    return {
      urls: front.urls,
      adminUrl: admin?.url,
      get streamCount() {
        return front.streamCount;
      },
      async drain() {
        await front.drain();
        await admin?.close();
        await polling.close();
      },
      close: closeAll,
      reload: () => front.reload(),
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}
