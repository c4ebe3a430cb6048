import type { Config } from './config/schema.ts';
import { createLivePaths } from './live/endpoint.ts';
import { createRoutes } from './passthrough/routes.ts';
import { createStateRewriting } from './passthrough/site-rewriting.ts';
import { upstreamTls } from './passthrough/upstream-engine.ts';
import { planProbe } from './probe/plan.ts';
import type { ProbedUpstream } from './probe/probe.ts';
import { probe } from './probe/probe.ts';
import { pseudonymOf } from './server/loops.ts';
import { createRouter } from './server/router.ts';
import { systemClock } from './shared/clock.ts';
import { mountPrefix } from './shared/mount-path.ts';
import type { ProbeOutcome, ProbeQuestion } from './shared/probe-report.ts';
import { headerValue } from './shared/raw-headers.ts';
import type { SitePolls } from './site-polls.ts';
import { createSitePolls } from './site-polls.ts';

/** Comet servers may hold a request for ever; this is to know whether they are there. */
const HEAD_TIMEOUT_MS = 10_000;

/** Ask the upstreams of a config, as the proxy would that runs with it. Never rejects for them. */
export async function probeConfig(config: Config, question: ProbeQuestion): Promise<ProbeOutcome> {
  const clock = systemClock;
  const paths = createLivePaths(config.live);
  const prefixes = Object.keys(config.comet).map((path) => ({ prefix: mountPrefix(path) }));
  const router = createRouter(paths, prefixes);
  const scheme = config.listen.some((listen) => listen.tls) ? 'https' : 'http';
  const plan = planProbe(paths, question, router, { host: config.site.url.host, scheme });
  if (plan.unmatched.length > 0) return { kind: 'unmatched', urls: plan.unmatched };

  let polls: SitePolls;
  let upstreams: readonly ProbedUpstream[];
  let routes: ReturnType<typeof createRoutes>;
  try {
    polls = createSitePolls(config, config.via ? pseudonymOf() : undefined, clock);
    upstreams = upstreamsOf(config, question, polls);
    routes = createRoutes(config, clock);
  } catch (error) {
    return { kind: 'unusable', message: error instanceof Error ? error.message : String(error) };
  }
  const { siteRoute, mounts, rules } = routes;
  try {
    const rewriting = rules && createStateRewriting(rules);
    const options = { upstreams, plan, way: polls, rewriting, clock };
    return { kind: 'probed', report: await probe(options, question) };
  } finally {
    const all = [siteRoute, ...mounts.map(({ route }) => route), polls];
    await Promise.all(all.map((one) => one.close()));
  }
}

function upstreamsOf(
  { site, comet }: Config,
  { headers }: ProbeQuestion,
  { sender: { userAgent, via } }: SitePolls,
): ProbedUpstream[] {
  const publicHost = headerValue(headers, 'host') ?? site.url.host;
  const headersFor = (url: URL, preserveHost: boolean) => [
    ...['Host', preserveHost ? publicHost : url.host],
    ...['Accept', '*/*', 'User-Agent', userAgent],
    ...(via === undefined ? [] : ['Via', via]),
  ];
  const mounts = Object.entries(comet).flatMap(([path, mount]) =>
    mount.origins.map((url): ProbedUpstream => {
      return {
        name: `comet ${path}`,
        url,
        tls: upstreamTls(mount.tls, url),
        headers: headersFor(url, mount.preserveHost),
        connectTimeoutMs: mount.connectTimeout,
        headTimeoutMs: Math.min(mount.responseTimeout || HEAD_TIMEOUT_MS, HEAD_TIMEOUT_MS),
        lenient: mount.lenient,
      };
    }),
  );
  return [
    {
      name: 'site',
      url: site.url,
      tls: upstreamTls(site.tls, site.url),
      headers: headersFor(site.url, site.preserveHost),
      connectTimeoutMs: site.connectTimeout,
      headTimeoutMs: Math.min(site.responseTimeout || HEAD_TIMEOUT_MS, HEAD_TIMEOUT_MS),
      lenient: site.lenient,
    },
    ...mounts,
  ];
}
