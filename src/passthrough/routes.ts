import type { Config } from '../config/schema.ts';
import type { MountConfig, SiteConfig } from '../config/upstream.ts';
import type { Clock } from '../shared/clock.ts';
import type { Downstream } from '../shared/downstream.ts';
import { mountPrefix } from '../shared/mount-path.ts';
import { headerValues } from '../shared/raw-headers.ts';
import { Balancer, memberId } from './balancer.ts';
import type { CookieSpace } from './cookies.ts';
import { cookieMark } from './cookies.ts';
import type { Injection } from './inject/injection.ts';
import { mountRewriting } from './mount-rewriting.ts';
import type { Rewriting } from './rewriting.ts';
import { inSequence } from './rewriting.ts';
import type { ForwardExchange, Route } from './route.ts';
import { siteRewriting } from './site-rewriting.ts';
import { createEngine } from './upstream-engine.ts';
import type { Mapping } from './url-map.ts';
import { join, mappingOf } from './url-map.ts';
import { UrlRules } from './url-rewriter.ts';

/** The ways to everything behind us. */
export interface Routes {
  readonly siteRoute: Route;
  readonly mounts: readonly { readonly prefix: string; readonly route: Route }[];
  /** Comet origins that the site's pages name; `undefined` when none is to be looked for. */
  readonly rules: UrlRules | undefined;
}

/**
 * Make the routes of a config.
 *
 * @param injection - Of the browser script into the site's pages; `undefined` into none.
 * @throws when a file that the config names cannot be read.
 */
export function createRoutes(
  { site, comet }: Pick<Config, 'site' | 'comet'>,
  clock: Clock,
  injection?: Injection,
): Routes {
  const entries = mountEntries(comet);
  const all = entries.flatMap(({ mappings }) => mappings);
  const rules = createUrlRules(comet);
  return {
    siteRoute: createSiteRoute(site, rules, injection, clock),
    mounts: entries.map(({ prefix, mount }) => ({
      prefix,
      route: createMountRoute(prefix, mount, all, clock),
    })),
    rules,
  };
}

/** What is looked for in the site's pages: Comet origins of mounts with `rewriteUrls`. */
export function createUrlRules(comet: Config['comet']): UrlRules | undefined {
  const named = mountEntries(comet).flatMap(({ mount, mappings }) =>
    mount.rewriteUrls ? mappings : [],
  );
  return named.length > 0 ? new UrlRules(named) : undefined;
}

function mountEntries(comet: Config['comet']) {
  return Object.entries(comet).map(([path, mount]) => {
    const prefix = mountPrefix(path);
    const mappings = mount.origins.map((url) => mappingOf(url, prefix));
    return { prefix, mount, mappings };
  });
}

/** The way to the site. @param rules - Comet origins that its pages name; none changes nothing. */
function createSiteRoute(
  site: SiteConfig,
  rules: UrlRules | undefined,
  injection: Injection | undefined,
  clock: Clock,
): Route {
  const engine = createEngine(site.url, site, clock);
  const mapping = mappingOf(site.url, '');
  const { preserveHost } = site;

  function rewritingOf(exchange: ForwardExchange): Rewriting | undefined {
    const { downstream, target } = exchange;
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
    const page = injection?.visit(exchange);
    return inOrder(inOrder(names, bodies), page);
  }

  return {
    attempts: (exchange) => [
      {
        engine,
        path: exchange.target,
        host: preserveHost ? undefined : site.url.host,
        rewriting: rewritingOf(exchange),
        extraHeaders: [],
        onOutcome: () => undefined,
      },
    ],
    bodyTimeoutMs: site.bodyTimeout,
    close: () => engine.close(),
  };
}

function inOrder(first: Rewriting | undefined, second: Rewriting | undefined) {
  return first && second ? inSequence(first, second) : (first ?? second);
}

/**
 * The way to the Comet origins of one mount.
 *
 * @param prefix - Path of the mount, without its last slash.
 * @param mappings - Those of all mounts.
 */
function createMountRoute(
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
