import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { MountConfig, SiteConfig } from '../config/upstream.ts';
import type { Clock } from '../shared/clock.ts';
import type { Downstream } from '../shared/downstream.ts';
import { headerValues } from '../shared/raw-headers.ts';
import type { UpstreamTls } from '../shared/upstream.ts';
import { createUpstreamPool, defaultServerName } from '../shared/upstream.ts';
import { Balancer, memberId } from './balancer.ts';
import type { CookieSpace } from './cookies.ts';
import { cookieMark } from './cookies.ts';
import type { Engine } from './exchange.ts';
import { mountRewriting } from './mount-rewriting.ts';
import { createNodeEngine } from './node-engine.ts';
import type { Rewriting } from './rewriting.ts';
import { inSequence } from './rewriting.ts';
import type { ForwardExchange, Route } from './route.ts';
import { siteRewriting } from './site-rewriting.ts';
import { createStrictEngine } from './strict-engine.ts';
import type { Mapping } from './url-map.ts';
import { join, mappingOf } from './url-map.ts';
import type { UrlRules } from './url-rewriter.ts';

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

function createEngine(url: URL, config: Reach, clock: Clock): Engine {
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

/** The way to the site. @param rules - Comet origins that its pages name; none changes nothing. */
export function createSiteRoute(
  site: SiteConfig,
  rules: UrlRules | undefined,
  clock: Clock,
): Route {
  const engine = createEngine(site.url, site, clock);
  const mapping = mappingOf(site.url, '');
  const { preserveHost } = site;

  function rewritingOf(downstream: Downstream, target: string): Rewriting | undefined {
    const names = preserveHost
      ? undefined
      : mountRewriting({
          downstream,
          mapping,
          mappings: [mapping],
          requestTarget: target,
          preserveHost,
          passesCredentials: true,
          cookies: undefined,
        });
    const bodies = rules && siteRewriting(rules, downstream, mapping);
    return names && bodies ? inSequence(names, bodies) : (names ?? bodies);
  }

  return {
    attempts: ({ target, downstream }) => [
      {
        engine,
        path: target,
        host: preserveHost ? undefined : site.url.host,
        rewriting: rewritingOf(downstream, target),
        extraHeaders: [],
        onOutcome: () => undefined,
      },
    ],
    bodyTimeoutMs: site.bodyTimeout,
    close: () => engine.close(),
  };
}

/** The URLs of a mount's origins, and where they appear on the site. */
export function mountMappings(prefix: string, { origins }: MountConfig): Mapping[] {
  return origins.map((url) => mappingOf(url, prefix));
}

/**
 * The way to the Comet origins of one mount.
 *
 * @param prefix - Path of the mount, without its last slash.
 * @param mappings - Those of all mounts.
 */
export function createMountRoute(
  prefix: string,
  mount: MountConfig,
  mappings: readonly Mapping[],
  clock: Clock,
): Route {
  const members = mount.origins.map((url) => ({
    id: memberId(url),
    url,
    mapping: mappingOf(url, prefix),
    engine: createEngine(url, mount, clock),
  }));
  const balancer = new Balancer(members, clock);
  const shared = new Set(mount.cookies);
  const stickyCookie = `comet-proxy~${cookieMark(prefix).slice(0, -1)}`;
  const isByCookie = members.length > 1 && mount.sticky === 'cookie';

  function memberOfCookie({ req }: ForwardExchange): string | undefined {
    const pairs = headerValues(req.rawHeaders, 'cookie').join(';').split(';');
    const pair = pairs
      .map((text) => text.trim())
      .find((text) => text.startsWith(`${stickyCookie}=`));
    return pair?.slice(stickyCookie.length + 1);
  }

  function setSticky(id: string, downstream: Downstream): string[] {
    const secure = downstream.scheme === 'https' ? '; Secure' : '';
    const value = `${stickyCookie}=${id}; Path=${prefix}; HttpOnly; SameSite=Lax${secure}`;
    return ['Set-Cookie', value];
  }

  return {
    attempts(exchange) {
      const { downstream, target } = exchange;
      const known = isByCookie ? memberOfCookie(exchange) : undefined;
      return balancer.order(downstream.address, balancer.find(known)).map((member) => {
        const path = join(member.mapping.path, target);
        const cookies: CookieSpace = { prefix, path: member.mapping.path, shared };
        return {
          engine: member.engine,
          path,
          host: mount.preserveHost ? undefined : member.url.host,
          rewriting: mountRewriting({
            downstream,
            mapping: member.mapping,
            mappings,
            requestTarget: path,
            preserveHost: mount.preserveHost,
            passesCredentials: mount.authorization,
            cookies,
          }),
          extraHeaders: isByCookie && known !== member.id ? setSticky(member.id, downstream) : [],
          onOutcome(outcome) {
            if (outcome === 'answered') balancer.markIn(member);
            else if (outcome === 'unreached') balancer.markOut(member);
            else balancer.markReset(member);
          },
        };
      });
    },
    // Whatever comes from a Comet server may be a stream.
    bodyTimeoutMs: 0,
    async close() {
      await Promise.all(members.map(({ engine }) => engine.close()));
    },
  };
}
