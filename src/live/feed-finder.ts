import type { ErrorCode } from '../shared/errors.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Client } from './exchange.ts';
import type { LimitLog } from './limit-log.ts';
import type { FoundFeed, Supply } from './supply.ts';
import type { Wanted } from './wanted.ts';

/** By what clients are let in. */
export interface FeedFinderOptions {
  readonly limits: { readonly subscribersPerChannel: number };
  readonly limitLog: LimitLog;
}

/** Finds feeds for requests, wherever their states come from. */
export abstract class FeedFinder implements Pick<Supply, 'find' | 'findForStream' | 'hasRoomIn'> {
  readonly #options: FeedFinderOptions;

  constructor(options: FeedFinderOptions) {
    this.#options = options;
  }

  find(wanted: Wanted, client: Client): FoundFeed | undefined {
    const found = this.findOrRefuse(wanted, client);
    return typeof found === 'string' ? undefined : found;
  }

  findForStream(wanted: Wanted, client: Client): FoundFeed {
    const found = this.findOrRefuse(wanted, client);
    if (typeof found === 'string') throw new ProxyError(found);
    if (!this.hasRoomIn(found)) throw new ProxyError('TOO_MANY_SUBSCRIBERS');
    return found;
  }

  hasRoomIn({ feed }: Pick<FoundFeed, 'feed'>): boolean {
    const { limits, limitLog } = this.#options;
    if (feed.streamCount < limits.subscribersPerChannel) return true;
    limitLog.onReached('subscribersPerChannel', feed.label);
    return false;
  }

  /** The feed for a request, opened if need be, or the limit that is reached. */
  protected abstract findOrRefuse(wanted: Wanted, client: Client): FoundFeed | ErrorCode;
}
