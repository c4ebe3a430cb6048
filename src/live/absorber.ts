import type { Clock } from '../shared/clock.ts';
import { ownOrigin } from '../shared/downstream.ts';
import type { Logger } from '../shared/logger.ts';
import { foreignOrigin } from '../transport/gate.ts';
import type { Endpoint } from './endpoint.ts';
import type { LiveExchange, LiveResult } from './exchange.ts';
import type { Feeds, FoundFeed } from './feeds.ts';
import { isAbsorbable, plainAnswer, unkeyedVary } from './plain-answer.ts';

/** What an absorber is made of. */
export interface AbsorberOptions {
  readonly feeds: Feeds;
  readonly clock: Clock;
  readonly log: Logger;
}

/** For how long answers that were meant for one client are taken to be so still. */
const PERSONAL_MEMORY_MS = 60_000;

/** Answers plain requests of pages that poll from the last known state. */
export class Absorber {
  readonly #options: AbsorberOptions;
  readonly #warned = new Set<string>();

  constructor(options: AbsorberOptions) {
    this.#options = options;
  }

  /** Answer a request, or leave it for the site. Never rejects: it fails open. */
  async absorb(exchange: LiveExchange, endpoint: Endpoint): Promise<LiveResult> {
    try {
      return await this.#tryTo(exchange, endpoint);
    } catch (error) {
      // Whatever is wrong with us, the site can still answer.
      const fields = { err: error, endpoint: endpoint.pattern.source };
      this.#options.log.error(fields, 'absorbing failed');
      return exchange.res.headersSent ? 'answered' : 'pass';
    }
  }

  async #tryTo(exchange: LiveExchange, endpoint: Endpoint): Promise<LiveResult> {
    const { req, res, target, downstream } = exchange;
    if (!isAbsorbable(req.method ?? '', req.rawHeaders)) return 'pass';
    // Only the site itself can say which other origins may read its plain answers.
    if (foreignOrigin(req.rawHeaders, ownOrigin(downstream)) !== undefined) return 'pass';
    const { rawHeaders } = req;
    const place = this.#options.feeds.find({ endpoint, target, downstream, rawHeaders });
    if (!place || this.#wasPersonal(endpoint, place)) return 'pass';
    const state = await place.feed.refresh();
    if (!state || this.#isPersonal(endpoint, place)) return 'pass';
    if (res.destroyed) return 'answered';
    const answer = plainAnswer(state, endpoint.config.vary, rawHeaders);
    res.writeHead(answer.status, answer.headers).end(answer.body);
    return 'answered';
  }

  /** Known from a poll a while ago: polling at once again would only cost the site a request. */
  #wasPersonal(endpoint: Endpoint, place: FoundFeed): boolean {
    const { lastPoll } = place.feed.channel;
    const isRecent = lastPoll && this.#options.clock.now() - lastPoll.at < PERSONAL_MEMORY_MS;
    return isRecent === true && this.#isPersonal(endpoint, place);
  }

  /** SECURITY: an answer that was meant for one client is not given to another. */
  #isPersonal(endpoint: Endpoint, { feed: { channel } }: FoundFeed): boolean {
    const state = channel.retained;
    const unkeyed = state && unkeyedVary(state, endpoint.config.vary);
    if (!unkeyed && !channel.lastPoll?.setsCookie) return false;
    const pattern = endpoint.pattern.source;
    if (!this.#warned.has(pattern)) {
      this.#warned.add(pattern);
      const reason = unkeyed
        ? `its answers vary on "${unkeyed}", which is not in "vary"`
        : 'its answers set cookies';
      this.#options.log.warn({ endpoint: pattern }, `plain requests are passed through: ${reason}`);
    }
    return true;
  }
}
