import type { Identity } from './channel-key.ts';
import type { Client } from './exchange.ts';
import type { LiveFeed } from './live-feed.ts';
import type { HasSessions } from './logouts.ts';
import type { Wanted } from './wanted.ts';
import type { WriteRequest } from './write-request.ts';

/** The feed of a request. */
export interface FoundFeed {
  readonly feed: LiveFeed;
  /** Plain requests go to the site: a short while ago nothing was found that could be shared. */
  readonly passes: boolean;
}

/**
 * Where those who show states to clients have them from: `Feeds`, which polls in this process, or
 * `Mirrors`, which shows what another process has polled.
 */
export interface Supply extends HasSessions {
  /** The feed for a request, opened if need be; `undefined` when there are too many. */
  find(wanted: Wanted, client: Client): FoundFeed | undefined;
  /** The same for a stream. @throws {ProxyError} with the code of the limit that is reached. */
  findForStream(wanted: Wanted, client: Client): FoundFeed;
  /** May one more client wait for what this feed tells? */
  hasRoomIn(found: Pick<FoundFeed, 'feed'>): boolean;
  /** Who a client is for an endpoint: all that its polls and probes carry of it. */
  identityOf(wanted: Wanted, client: Client): Identity;
  /** Are the answers to a request meant for its client only, as far as is known? */
  passes(wanted: Wanted, client: Client): boolean;
  /**
   * Something that channels show is about to change.
   *
   * @returns to be called when it has changed, or has not.
   */
  beginWrite(request: WriteRequest): (hasChanged: boolean) => void;
}
