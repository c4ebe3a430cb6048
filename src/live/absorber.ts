import type { ChannelEvent } from '../protocol/event.ts';
import type { Clock } from '../shared/clock.ts';
import { ownOrigin } from '../shared/downstream.ts';
import type { Logger } from '../shared/logger.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { limitSending } from '../shared/sending.ts';
import { foreignOrigin } from '../transport/gate.ts';
import { preferredWaitMs } from '../transport/negotiate.ts';
import { Acquaintances, clientKey, loadsPage } from './acquaintances.ts';
import type { Admission, Leave } from './admission.ts';
import { allowsTransport } from './endpoint.ts';
import type { Exchange, HttpExchange, LiveResult } from './exchange.ts';
import { clientOf } from './exchange.ts';
import type { Hold, HoldOutcome } from './holder.ts';
import { Holder } from './holder.ts';
import type { LiveFeed } from './live-feed.ts';
import type { LiveHeaders } from './live-headers.ts';
import type { PlainAnswer } from './plain-answer.ts';
import { hasValidator, isAbsorbable, plainAnswer, postAnswer } from './plain-answer.ts';
import type { Shadow } from './shadow.ts';
import { isInShare } from './share.ts';
import type { FoundFeed, Supply } from './supply.ts';
import type { Wanted } from './wanted.ts';

/** Changes what a request that loads a page is answered with. */
export interface PageChange {
  /** The request's headers as the state is to be compared with. */
  conditions(headers: RawHeaders): RawHeaders;
  /** The changed form of the answer to them; `undefined` when this page is left as it is. */
  change(answer: PlainAnswer): PlainAnswer | undefined;
}

/** What an absorber is made of. */
export interface AbsorberOptions {
  readonly feeds: Supply;
  readonly admission: Admission;
  readonly clock: Clock;
  readonly log: Logger;
  readonly liveHeaders: LiveHeaders;
  readonly shadow: Pick<Shadow, 'begin'>;
  /** What is to be changed in the answer to a request; `undefined` when nothing is. */
  readonly pageChange?: ((exchange: Exchange) => PageChange | undefined) | undefined;
  /** Told which client loads a page, where other processes may hold its polls. */
  readonly onPageLoad?: ((client: string) => void) | undefined;
  readonly limits: {
    /** Longest time for which a client may read nothing of its answer. */
    readonly sendTimeout: number;
  };
}

/** How a plain request is to be answered from the state. */
interface Manner {
  /** How long it may be held while the client has the newest state; 0 is not at all. */
  readonly holdMs: number;
  /** The client has asked for it. */
  readonly isPreferred: boolean;
  /** Only compare what it would be answered with. */
  readonly isTrial: boolean;
}

/** Answers plain requests from the last known state: at once, or when it changes. */
export class Absorber {
  readonly #options: AbsorberOptions;
  readonly #holder: Holder;
  readonly #acquaintances = new Acquaintances();

  constructor(options: AbsorberOptions) {
    this.#options = options;
    this.#holder = new Holder(options.clock);
  }

  /** Answer a request, or leave it for the site. Never rejects: it fails open. */
  async answer(exchange: HttpExchange, wanted: Wanted): Promise<LiveResult> {
    try {
      const manner = mannerOf(exchange, wanted);
      return manner ? await this.#tryTo(exchange, wanted, manner) : 'pass';
    } catch (error) {
      // Whatever is wrong with us, the site can still answer.
      const fields = { err: error, endpoint: wanted.endpoint.name };
      this.#options.log.error(fields, 'absorbing failed');
      return exchange.res.headersSent ? 'answered' : 'pass';
    }
  }

  /**
   * A request is left for the site. If it loads a page: what that page polls for first is not known
   * to it, whatever its browser has.
   */
  onPass(exchange: Exchange): void {
    const { onPageLoad } = this.#options;
    // Every request comes by here, and most proxies hold none.
    if (this.#acquaintances.isEmpty && !onPageLoad) return;
    if (!loadsPage(exchange.req.rawHeaders)) return;
    const client = clientKey(exchange);
    this.#acquaintances.forget(client);
    onPageLoad?.(client);
  }

  /** A client loads a page through another process. @param client - As told to `onPageLoad`. */
  forget(client: string): void {
    this.#acquaintances.forget(client);
  }

  /** What is to be said once a hold is over; `undefined` when only the site can say. */
  async #stateAfter(outcome: HoldOutcome, { feed }: FoundFeed): Promise<ChannelEvent | undefined> {
    if (outcome === 'ended') return undefined;
    // What has just changed is known. Of what has not, somebody may be about to change it.
    return outcome === 'changed' ? feed.channel.snapshot : feed.refresh();
  }

  /** Answer all held requests now. */
  releaseHeld(): void {
    this.#holder.release();
  }

  async #tryTo(exchange: HttpExchange, wanted: Wanted, manner: Manner): Promise<LiveResult> {
    const { req, res, downstream } = exchange;
    const { endpoint } = wanted;
    if (!isAbsorbable(req.method ?? '', req.rawHeaders)) return 'pass';
    // Only the site itself can say which other origins may read its plain answers.
    if (foreignOrigin(req.rawHeaders, ownOrigin(downstream)) !== undefined) return 'pass';
    const { rawHeaders } = req;
    const found = this.#options.feeds.find(wanted, { downstream, rawHeaders });
    if (manner.isTrial) {
      this.#options.shadow.begin(exchange, wanted, found);
      return 'pass';
    }
    if (!found || found.passes) return 'pass';
    let state = await found.feed.refresh();
    if (!state) return 'pass';
    const page = this.#options.pageChange?.(exchange);
    const conditions = page?.conditions(rawHeaders) ?? rawHeaders;
    let answer = this.#answerFrom(state, wanted, conditions);
    const { channel } = found.feed;
    // Who has asked to be held knows what it has.
    const isUnaware = manner.holdMs > 0 && !manner.isPreferred;
    const client = isUnaware ? clientKey(exchange) : undefined;
    const mayHold = client === undefined || this.#acquaintances.has(client, channel.name);
    if (mayHold && answer.status === 304 && manner.holdMs > 0 && hasValidator(rawHeaders)) {
      const outcome = await this.#hold(exchange, found, {
        holdMs: manner.holdMs,
        stateId: state.id,
        client,
        isNews: (event) => plainAnswer(event, endpoint.keyed, conditions).status !== 304,
      });
      if (outcome === 'left' && client !== undefined) this.#acquaintances.forget(client);
      // Fail open: what is not known to be so still, the site may say.
      const now = await this.#stateAfter(outcome, found);
      if (!now || channel.isStale) return 'pass';
      state = now;
      answer = this.#answerFrom(state, wanted, conditions);
    }
    if (res.destroyed) return 'answered';
    if (client !== undefined) this.#acquaintances.add(client, channel.name);
    const applied = manner.isPreferred
      ? { 'preference-applied': `wait=${Math.floor(manner.holdMs / 1_000)}` }
      : {};
    const age = ageHeader(found.feed, this.#options.clock);
    const live = this.#options.liveHeaders.ofState(exchange, wanted, state);
    const whole = (plain: PlainAnswer): PlainAnswer => {
      return { ...plain, headers: { ...plain.headers, ...age, ...applied, ...live } };
    };
    const changed = page ? page.change(whole(answer)) : whole(answer);
    const { status, headers, body } = changed ?? whole(this.#answerFrom(state, wanted, rawHeaders));
    res.writeHead(status, headers).end(body);
    if (res.writableLength > 0) limitSending(res, this.#options.limits.sendTimeout);
    return 'answered';
  }

  #answerFrom(
    state: ChannelEvent,
    { endpoint, content, callerId }: Wanted,
    rawHeaders: RawHeaders,
  ): PlainAnswer {
    const { keyed } = endpoint;
    return content
      ? postAnswer(state, keyed, rawHeaders, callerId)
      : plainAnswer(state, keyed, rawHeaders);
  }

  async #hold(
    exchange: HttpExchange,
    { feed }: FoundFeed,
    hold: Pick<Hold, 'holdMs' | 'stateId' | 'client' | 'isNews'>,
  ): Promise<HoldOutcome> {
    // It will not tell us a second time.
    if (exchange.res.destroyed) return 'left';
    if (!this.#options.feeds.hasRoomIn({ feed })) return 'same';
    let leave: Leave;
    try {
      leave = this.#options.admission.enter(exchange.downstream);
    } catch {
      return 'same'; // no room to wait in: then it is answered at once
    }
    const outcome = await this.#holder.hold({ ...hold, exchange, feed });
    leave();
    return outcome;
  }
}

/**
 * RFC 9111 §5.1. Said also when it is 0, and of a 304: a browser's cache would keep the age of the
 * answer that it has.
 */
function ageHeader({ source }: LiveFeed, clock: Clock): { readonly age?: string } {
  const asOf = source?.lastPoll?.asOf;
  return asOf === undefined ? {} : { age: String(Math.floor((clock.now() - asOf) / 1_000)) };
}

/** `undefined` when the site is to answer. */
function mannerOf(exchange: HttpExchange, { endpoint, content }: Wanted): Manner | undefined {
  const { config } = endpoint;
  // A POST has no validator that could say what its client knows.
  const mayWait = allowsTransport(endpoint, 'poll') && !content;
  const preferredMs = mayWait ? preferredWaitMs(exchange.req.rawHeaders) : undefined;
  if (preferredMs !== undefined) {
    return { holdMs: Math.min(preferredMs, config.hold), isPreferred: true, isTrial: false };
  }
  if (config.polls === 'pass' || !isInShare(endpoint, clientOf(exchange))) return undefined;
  const holdMs = config.polls === 'hold' && !content ? config.hold : 0;
  return { holdMs, isPreferred: false, isTrial: config.shadow };
}
