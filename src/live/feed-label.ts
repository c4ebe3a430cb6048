import { redactUrl } from '../shared/logger.ts';
import type { FeedOptions } from './feed.ts';
import type { Wanted } from './wanted.ts';

/** How logs name a feed: by its endpoint, its URL, and the beginning of its channel's name. */
export function feedLabel({ endpoint, target }: Wanted, name: string): FeedOptions['label'] {
  return { endpoint: endpoint.name, url: redactUrl(target), channel: name.slice(0, 8) };
}
