import { createMemoryBackplane } from './cluster/memory.ts';
import type { Config } from './config/schema.ts';
import type { Endpoint } from './live/endpoint.ts';
import { Feeds } from './live/feeds.ts';
import { createUrlRules } from './passthrough/routes.ts';
import { createStateRewriting } from './passthrough/site-rewriting.ts';
import { createPollBudget } from './poll/poll-budget.ts';
import { createUpstreamBreaker } from './poll/upstream-breaker.ts';
import { canConnect } from './shared/upstream.ts';
import { createSitePolls } from './site-polls.ts';
import type { Stores, Surroundings } from './stores.ts';

/** What polls are made of. */
export interface PollingOptions extends Surroundings {
  readonly config: Config;
  readonly endpoints: readonly Endpoint[];
  readonly stores: Stores;
  /** What we call ourselves in `Via`; `undefined` sends none. */
  readonly pseudonym: string | undefined;
  /** Keys the names of channels; see `identify`. */
  readonly secret: Uint8Array;
}

/** The half of a proxy that polls the site. */
export interface Polling {
  readonly feeds: Feeds;
  /** Stop all polls, and end their connections. */
  close(): Promise<void>;
}

/**
 * Open the way of events: poll, detect, feed, backplane, channel.
 *
 * @throws when a file that the config names cannot be read.
 */
export function openPolling(options: PollingOptions): Polling {
  const { config, endpoints, stores, pseudonym, secret, clock, random, log } = options;
  const { site, comet, limits } = config;
  const rules = createUrlRules(comet);
  const polls = createSitePolls(config, pseudonym, clock);
  const breaker = createUpstreamBreaker({
    clock,
    random,
    probe: (signal) => canConnect(site.url, signal),
    probeTimeoutMs: site.connectTimeout,
    log,
    label: { site: site.url.origin },
  });
  const backplane = createMemoryBackplane();
  const feeds = new Feeds({
    ...stores,
    endpoints,
    backplane,
    way: polls,
    upstream: {
      budget: createPollBudget({
        clock,
        maxConcurrent: limits.polls,
        maxPerSecond: limits.pollsPerSecond,
      }),
      breaker,
    },
    rewriting: rules && createStateRewriting(rules),
    clock,
    random,
    log,
    secret,
    maxLogBytes: limits.logBytes,
    limits,
  });
  return {
    feeds,
    async close() {
      feeds.close();
      breaker.close();
      await backplane.close();
      await polls.close();
    },
  };
}
