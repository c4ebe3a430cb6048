import type { Ended } from '../poll/detect.ts';
import type { Identity } from './channel-key.ts';
import { haveSameCredentials } from './credentials.ts';
import type { Endpoint } from './endpoint.ts';
import type { Client } from './exchange.ts';
import { identifySession } from './identify-wanted.ts';
import type { LiveFeed } from './live-feed.ts';
import type { Wanted } from './wanted.ts';

/** A feed, and whose it is. */
export interface OwnedFeed {
  readonly feed: Pick<LiveFeed, 'end'>;
  readonly wanted: Wanted;
  readonly identity: Pick<Identity, 'forwarded'>;
}

/**
 * A client has logged out: end what it was shown.
 *
 * @param status - Of the answer to the logout.
 * @param secret - See `identify`.
 * @returns how many of the feeds have ended.
 */
export function endSession(
  feeds: readonly OwnedFeed[],
  client: Client,
  status: number,
  secret: Uint8Array,
): number {
  const outcome: Ended = {
    kind: 'ended',
    word: 'unauthorized',
    status,
    reason: 'logout',
    detail: `logout, answered ${status}`,
  };
  const forwardedBy = new Map<Endpoint, Identity['forwarded']>();
  let ended = 0;
  for (const { feed, wanted, identity } of feeds) {
    const forwarded =
      forwardedBy.get(wanted.endpoint) ?? identifySession(wanted, client, secret).forwarded;
    forwardedBy.set(wanted.endpoint, forwarded);
    if (!haveSameCredentials(identity.forwarded, forwarded)) continue;
    feed.end(outcome);
    ended += 1;
  }
  return ended;
}
