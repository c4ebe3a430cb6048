import type { RequestPattern } from '../config/request-pattern.ts';
import type { Client, Exchange } from './exchange.ts';
import { clientOf } from './exchange.ts';
import { isNamed, RequestWatch } from './named-requests.ts';

/** Holds something of sessions, until they end. */
export interface HasSessions {
  /** @param status - Of the site's answer to the request that ended the session. */
  endSession(client: Client, status: number): void;
}

/**
 * Watches requests that pass through for those by which a client ends its session: when the site
 * has agreed, the channels of that session are over, before the client can know.
 */
export class Logouts {
  readonly #sessions: readonly HasSessions[];
  readonly #patterns: readonly RequestPattern[];
  readonly #watch: RequestWatch;

  constructor(sessions: readonly HasSessions[], patterns: readonly RequestPattern[]) {
    this.#sessions = sessions;
    this.#patterns = patterns;
    this.#watch = new RequestWatch(patterns);
  }

  /** Does a request end a session? Then it is never answered from a state. */
  isMeant(exchange: Exchange): boolean {
    if (this.#patterns.length === 0) return false;
    const segments = this.#watch.segmentsOf(exchange);
    return segments !== undefined && isNamed(this.#patterns, exchange.req.method ?? '', segments);
  }

  /**
   * A request is left for the site.
   *
   * @returns to be called with the status of the answer before the client gets it.
   */
  onPass(exchange: Exchange): ((status: number) => void) | undefined {
    if (!this.isMeant(exchange)) return undefined;
    const client = clientOf(exchange);
    return (status) => {
      // Who was refused is still logged in.
      if (status >= 400) return;
      for (const owner of this.#sessions) owner.endSession(client, status);
    };
  }
}
