import type { ChannelEvent } from '../protocol/event.ts';
import { ownOrigin } from '../shared/downstream.ts';
import { foreignOrigin } from '../transport/gate.ts';
import type { Exchange } from './exchange.ts';
import { clientOf } from './exchange.ts';
import { LIVE_HEADER, liveHeader, needsTicket } from './live-header.ts';
import { isAbsorbable } from './plain-answer.ts';
import { isConverted } from './share.ts';
import type { Supply } from './supply.ts';
import type { Tickets } from './tickets.ts';
import type { Wanted } from './wanted.ts';

/** What is told to browser scripts, and by whom it is known. */
export interface LiveHeadersOptions {
  readonly feeds: Pick<Supply, 'passes'>;
  readonly tickets: Pick<Tickets, 'issue'>;
  /** Are there pages with the script? */
  readonly isTold: boolean;
}

/** Tells the browser script, on answers to a page's own polls, what of them is live. */
export class LiveHeaders {
  readonly isTold: boolean;
  readonly #options: LiveHeadersOptions;

  constructor(options: LiveHeadersOptions) {
    this.isTold = options.isTold;
    this.#options = options;
  }

  /** Of an answer that is given from this state. */
  ofState(
    exchange: Exchange,
    wanted: Wanted,
    state: ChannelEvent,
  ): Readonly<Record<string, string>> {
    if (!this.#isToldTo(exchange, wanted)) return {};
    return { [LIVE_HEADER]: this.#valueFor(exchange, wanted, state.id) };
  }

  /** Of an answer of the site's own, name after value. */
  ofPassed(exchange: Exchange, wanted: Wanted, status: number): readonly string[] {
    const { rawHeaders, method = '' } = exchange.req;
    const isForOthers = foreignOrigin(rawHeaders, ownOrigin(exchange.downstream)) !== undefined;
    const isState = STATES.has(status) && isAbsorbable(method, rawHeaders) && !isForOthers;
    if (!isState || !this.#isToldTo(exchange, wanted)) return [];
    if (this.#options.feeds.passes(wanted, clientOf(exchange))) return [];
    return [LIVE_HEADER, this.#valueFor(exchange, wanted, undefined)];
  }

  #isToldTo(exchange: Exchange, { endpoint }: Wanted): boolean {
    return this.isTold && isConverted(endpoint, exchange);
  }

  #valueFor(exchange: Exchange, wanted: Wanted, stateId: string | undefined): string {
    const { tickets } = this.#options;
    const ticket = needsTicket(wanted) ? tickets.issue(wanted, clientOf(exchange)) : undefined;
    return liveHeader(wanted, { stateId, ticket });
  }
}

/** Answers that hold what a poll would find. */
const STATES = new Set([200, 203, 204, 304]);
