import type { Config } from './config/schema.ts';
import type { PollWay } from './live/asker.ts';
import { upstreamTls } from './passthrough/upstream-engine.ts';
import { createFetch } from './poll/fetch.ts';
import { createLenientFetch } from './poll/lenient-fetch.ts';
import type { Clock } from './shared/clock.ts';
import { createUpstreamPool } from './shared/upstream.ts';
import { packageVersion } from './shared/version.ts';

/** The way of polls to the site. */
export interface SitePolls extends PollWay {
  /** End all connections. */
  close(): Promise<void>;
}

/**
 * Open the way of polls to the site.
 *
 * @param pseudonym - What we call ourselves in `Via`; `undefined` sends none.
 * @throws when a file that the config names cannot be read.
 */
export function createSitePolls(
  { site, limits }: Pick<Config, 'site' | 'limits'>,
  pseudonym: string | undefined,
  clock: Clock,
): SitePolls {
  const upstream = { url: site.url, tls: upstreamTls(site.tls, site.url) };
  const pool = createUpstreamPool({
    ...upstream,
    connectTimeoutMs: site.connectTimeout,
    maxConnections: limits.polls,
  });
  return {
    fetch: site.lenient ? createLenientFetch(upstream, clock) : createFetch(pool, clock),
    sender: {
      upstreamHost: site.preserveHost ? undefined : site.url.host,
      userAgent: `comet-proxy/${packageVersion()}`,
      via: pseudonym && `1.1 ${pseudonym}`,
    },
    close: () => pool.destroy(),
  };
}
