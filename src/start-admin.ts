import type { Config } from './config/schema.ts';
import { inquiryOf, readQuestion, targetOf } from './live/asked-request.ts';
import type { LivePath } from './live/endpoint.ts';
import type { Feeds } from './live/feeds.ts';
import type { SubscriberCounts } from './live/hub-messages.ts';
import { findWanted } from './live/wanted.ts';
import type { AdminListener } from './server/admin.ts';
import { openAdmin } from './server/admin.ts';
import type { AdminHandlers } from './server/admin-routes.ts';
import { adminRoutes } from './server/admin-routes.ts';
import { createRouter } from './server/router.ts';
import type { DiscoveryReport } from './shared/discovery-report.ts';
import type { Explanation, Question } from './shared/explanation.ts';
import { mountPrefix } from './shared/mount-path.ts';
import type { Surroundings } from './stores.ts';

/** Whom the admin listener asks. */
export interface AdminSources {
  readonly config: Pick<Config, 'comet'>;
  readonly livePaths: readonly LivePath[];
  readonly feeds: Pick<Feeds, 'renew' | 'explain'>;
  /** Whoever faces clients. */
  readonly front: {
    explain(question: Question): Explanation | Promise<Explanation>;
    discover(): Promise<DiscoveryReport>;
    /** Of channels by their keys, where subscribers are in other processes than channels. */
    subscribers?(keys: readonly string[]): Promise<Readonly<Record<string, SubscriberCounts>>>;
  };
}

/** Open the admin listener, if the config has one. @throws the system's error. */
export async function startAdmin(
  { admin }: Pick<Config, 'admin'>,
  sources: AdminSources,
  { clock, log }: Surroundings,
): Promise<AdminListener | undefined> {
  if (!admin) return undefined;
  return openAdmin(admin, { routes: adminRoutes(createHandlers(sources), clock), clock, log });
}

function createHandlers({ config, livePaths, feeds, front }: AdminSources): AdminHandlers {
  const mounts = Object.keys(config.comet).map((path) => ({ prefix: mountPrefix(path) }));
  const router = createRouter(livePaths, mounts);
  return {
    refresh: (url) => ({ channels: feeds.renew(targetOf(url)) }),
    async explain(question) {
      const asked = readQuestion(question);
      const told = await front.explain(question);
      const match = told.route === 'live' ? router(asked.target) : undefined;
      if (match?.kind !== 'live') return told;
      const wanted = findWanted(match.endpoint.endpoints, inquiryOf(asked));
      if (!wanted) return told;
      return { ...told, ...(await countElsewhere(feeds.explain(wanted, asked), front)) };
    },
    discover: () => front.discover(),
  };
}

async function countElsewhere(
  told: Partial<Explanation>,
  front: AdminSources['front'],
): Promise<Partial<Explanation>> {
  const { key, channel, siblings = [] } = told;
  if (key === undefined || !front.subscribers) return told;
  const counts = await front.subscribers([key, ...siblings.map((sibling) => sibling.key)]);
  const sum = (counted: SubscriberCounts = {}) =>
    Object.values(counted).reduce((total, count) => total + count, 0);
  return {
    ...told,
    ...(channel ? { channel: { ...channel, subscribers: counts[key] ?? {} } } : {}),
    ...(siblings.length > 0
      ? { siblings: siblings.map((each) => ({ ...each, subscribers: sum(counts[each.key]) })) }
      : {}),
  };
}
