import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { SiteConfig } from '../config/upstream.ts';
import type { Clock } from '../shared/clock.ts';
import type { UpstreamTls } from '../shared/upstream.ts';
import { createUpstreamPool, defaultServerName } from '../shared/upstream.ts';
import type { Engine } from './exchange.ts';
import { createNodeEngine } from './node-engine.ts';
import { createStrictEngine } from './strict-engine.ts';

type Reach = Pick<SiteConfig, 'connectTimeout' | 'responseTimeout' | 'lenient' | 'tls'>;

/** Read what an upstream's TLS settings name. @throws when the file cannot be read. */
export function upstreamTls(tls: SiteConfig['tls'], url: URL): UpstreamTls {
  return {
    ca: tls.ca === undefined ? undefined : readAuthorities(tls.ca, url),
    serverName: tls.serverName ?? defaultServerName(url),
    verify: tls.verify,
  };
}

function readAuthorities(file: string, url: URL): string {
  try {
    return readFileSync(resolve(file), 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    throw new Error(`"tls.ca" of ${url.origin} cannot be read: ${reason}`, { cause: error });
  }
}

/** The engine for one upstream: the strict one wherever it will do. */
export function createEngine(url: URL, config: Reach, clock: Clock): Engine {
  const { connectTimeout: connectTimeoutMs, responseTimeout: responseTimeoutMs } = config;
  const tls = upstreamTls(config.tls, url);
  const reach = { url, connectTimeoutMs, tls };
  const strict = createStrictEngine({
    createPool: (isSingleUse, isWanted) => createUpstreamPool({ ...reach, isSingleUse, isWanted }),
    responseTimeoutMs,
    clock,
  });
  const node = createNodeEngine({
    ...reach,
    responseTimeoutMs,
    clock,
    isTolerant: config.lenient,
    upgrades: strict,
  });
  return {
    reusesConnections: !config.lenient,
    exchange(outgoing, handler) {
      // undici keeps the head back until there is a first byte of the body.
      const engine = config.lenient || outgoing.body?.isLate ? node : strict;
      return engine.exchange(outgoing, handler);
    },
    close: () => strict.close(),
  };
}
