import type { Channel } from '../channel/channel.ts';
import type { Subscriber } from '../channel/subscriber.ts';
import type { Ended, PolledState, PollOutcome } from '../poll/detect.ts';
import type { Poll } from '../poll/poller.ts';
import { Poller } from '../poll/poller.ts';
import { staleId } from '../protocol/cursor.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import { controlEvent } from '../protocol/event.ts';
import type { Timer } from '../shared/clock.ts';
import { deferred } from '../shared/deferred.ts';
import { isHtml, isJson } from '../shared/media-type.ts';
import type { Asker, Askers } from './askers.ts';
import { Demand } from './demand.ts';
import { lastWord, logLastWord, staleWord } from './feed-words.ts';
import type { FeedParts, LiveFeed } from './live-feed.ts';

/** What the feed of a session is made of. */
export interface SessionFeedOptions extends FeedParts {
  /** The feed that all sessions share, opened if need be; `undefined` when there are too many. */
  readonly openShared: () => LiveFeed | undefined;
  /** The same, if it is open. */
  readonly findShared: () => LiveFeed | undefined;
  /** With whose credentials the shared feed is polled. */
  readonly askers: Askers;
  /** Asks with the credentials of this session. */
  readonly asker: Asker;
  /** Ask with them once: is this session let in? */
  readonly probe: Poll;
  readonly probeEveryMs: number;
}

const LOGIN_PAGE: Ended = {
  kind: 'ended',
  word: 'unauthorized',
  status: 200,
  detail: 'answered HTML where others get something else',
};

/** How soon a session is asked for again of which the site has said neither yes nor no. */
const RETRY_MS = 5_000;

/** Statuses that say nothing of who asks: too slow, too often. */
const BUSY = new Set([408, 425, 429]);

/** Is a status that is none of success the site's word on this session? */
function isRefusal(status = 500): boolean {
  return status < 500 && !BUSY.has(status);
}

/**
 * What one session is shown of a state that is the same for every session which the site lets in.
 *
 * ```
 * asking ─ let in ─► let in: shows what the shared feed shows, lends it its credentials
 * asking, let in ─ refused, by a probe or by a poll of the shared feed ─► closed
 * let in ─ last stream left ─► lingering ─► closed
 * ```
 *
 * SECURITY: nothing is shown to a session before the site has let it in by its own credentials, nor
 * for longer than a probe's interval after it would not any more.
 */
export class SessionFeed implements LiveFeed {
  readonly #options: SessionFeedOptions;
  readonly #demand: Demand;
  readonly #poller: Poller;
  #mirrored: { readonly feed: LiveFeed; readonly subscriber: Subscriber } | undefined;
  #letInAt: number | undefined;
  #retry: Timer | undefined;
  #isClosed = false;
  readonly #settled = deferred();
  readonly #closed = deferred();
  readonly settled = this.#settled.promise;
  readonly closed = this.#closed.promise;

  constructor(options: SessionFeedOptions) {
    this.#options = options;
    const { clock, random, upstream, probe, probeEveryMs, lingerMs } = options;
    this.#demand = new Demand({
      clock,
      lingerMs,
      patienceMs: lingerMs,
      onEnd: () => this.close(),
    });
    this.#poller = new Poller({
      every: { minMs: probeEveryMs, maxMs: probeEveryMs },
      clock,
      random,
      upstream,
      poll: probe,
      onOutcome: (outcome, startedAt) => this.#onOutcome(outcome, startedAt),
    });
  }

  get channel(): Channel {
    return this.#options.channel;
  }

  get source(): Channel | undefined {
    return this.#options.findShared()?.channel;
  }

  get label(): SessionFeedOptions['label'] {
    return this.#options.label;
  }

  get streamCount(): number {
    return this.#demand.streams;
  }

  get hasEnded(): boolean {
    return this.#isClosed;
  }

  join(): void {
    this.#demand.join();
    if (this.#isClosed) return;
    // SECURITY: once it is asked in a loop what was said last holds: not if it is too old by now.
    if (this.#letInForMs <= 0) this.#letInAt = undefined;
    this.#poller.start(this.#letInForMs);
    if (this.#letInForMs > 0) this.#mirror();
  }

  leave(): void {
    this.#demand.leave();
  }

  async refresh(): Promise<ChannelEvent | undefined> {
    try {
      return await this.#demand.during(async () => {
        if (this.#letInForMs <= 0) await this.#poller.poll();
        if (this.#isClosed || this.#letInForMs <= 0) return undefined;
        const state = await this.#options.openShared()?.refresh();
        // SECURITY: the poll may have shown that this session is over, or a logout may have ended it.
        return this.#isClosed ? undefined : state;
      });
    } finally {
      // The next plain request need not be asked for again.
      if (this.#demand.streams === 0 && !this.#poller.isLooping) {
        this.#demand.linger(Math.max(this.#options.lingerMs, this.#letInForMs));
      }
    }
  }

  /** The session is over: say so, and show nothing more. */
  end(outcome: Ended): void {
    if (this.#isClosed) return;
    logLastWord(outcome, this.#options);
    this.#unmirror();
    this.#options.onEnded(outcome);
    this.channel.apply(lastWord(outcome));
    this.close();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { askers, asker, onClose } = this.#options;
    this.#demand.close();
    this.#poller.stop();
    this.#retry?.cancel();
    this.#unmirror();
    askers.remove(asker);
    this.#settled.resolve();
    onClose();
    this.#closed.resolve();
  }

  /** For how long what the last probe said still holds; while it is asked in a loop, it does. */
  get #letInForMs(): number {
    if (this.#letInAt === undefined) return 0;
    const { probeEveryMs, clock } = this.#options;
    return Math.max(this.#poller.isLooping ? 1 : 0, this.#letInAt + probeEveryMs - clock.now());
  }

  async #onOutcome(outcome: PollOutcome, startedAt: number): Promise<void> {
    const { channel, askers, asker, openShared } = this.#options;
    const isLoginPage = outcome.kind === 'changed' ? await this.#isLoginPage(outcome.state) : false;
    if (isLoginPage) return this.end(LOGIN_PAGE);
    if (this.#isClosed) return;
    if (isLoginPage === undefined) {
      this.#askAgain();
      return this.#settled.resolve();
    }
    switch (outcome.kind) {
      case 'changed':
      case 'unchanged': {
        this.#letInAt = startedAt;
        // What is unchanged is what the others get.
        const state = outcome.kind === 'changed' ? outcome.state : openShared()?.channel.retained;
        const type = state?.headers['content-type'] ?? '';
        // SECURITY: who came first may have been let in by a login page with a status of success.
        if (isJson(type) && askers.refusePages(LOGIN_PAGE)) openShared()?.close();
        const isPage = isHtml(type);
        askers.add(asker, { isPage, onRefused: (refusal) => this.end(refusal) });
        if (this.#demand.streams > 0) this.#mirror();
        this.#settleWithShared();
        return;
      }
      case 'failed':
        // Who is let in is told by the shared feed.
        // SECURITY: the site has answered, and not as it answers those that it lets in.
        if (this.#letInAt !== undefined && isRefusal(outcome.status)) this.#hide();
        if (this.#letInAt === undefined && !channel.isStale) {
          channel.apply(staleWord(outcome, undefined));
        }
        if (this.#letInAt === undefined) this.#askAgain();
        this.#settled.resolve();
        return;
      case 'ended':
        this.end(outcome);
    }
  }

  /**
   * SECURITY: a page that is no refusal by its status. When it came, nobody may have known yet what
   * those get who are let in: it is known before anything of theirs is shown.
   */
  async #isLoginPage({ headers }: PolledState): Promise<boolean | undefined> {
    const { askers, asker, openShared } = this.#options;
    const isFirst = askers.current === undefined || askers.current === asker;
    if (isFirst || !isHtml(headers['content-type'] ?? '')) return false;
    const shared = openShared();
    const state = (await shared?.refresh()) ?? shared?.channel.retained;
    // Nobody knows yet what the others get.
    if (!state) return undefined;
    return !isHtml(state.headers['content-type'] ?? '');
  }

  #settleWithShared(): void {
    const shared = this.#mirrored?.feed.settled ?? Promise.resolve();
    void shared.then(() => this.#settled.resolve());
  }

  /** Show what the shared feed shows. */
  #mirror(): void {
    if (this.#mirrored || this.#isClosed) return;
    const { channel, openShared, log, label } = this.#options;
    const feed = openShared();
    if (!feed) {
      if (channel.isStale) return;
      log.warn(label, 'not shown: too many channels');
      channel.apply(controlEvent('stale', staleId(undefined), { code: 'TOO_MANY_CHANNELS' }));
      return;
    }
    feed.join();
    const sink = {
      transport: 'session',
      takesPatches: false,
      isWritable: true,
      send(events: readonly ChannelEvent[]) {
        for (const event of events) channel.apply(event);
        return true;
      },
      // Not from inside of what the channel is just telling.
      ended: () => queueMicrotask(() => this.close()),
    };
    const { snapshot } = channel;
    const cursors = channel.isStale ? [staleId(snapshot?.id)] : [snapshot?.id];
    const known = cursors.filter((id) => id !== undefined);
    this.#mirrored = { feed, subscriber: feed.channel.subscribe(sink, known) };
  }

  /** Somebody waits to be let in: not for as long as those who are let in. */
  #askAgain(): void {
    this.#retry?.cancel();
    if (this.#isClosed || this.#demand.streams === 0) return;
    this.#retry = this.#options.clock.after(RETRY_MS, () => void this.#poller.renew());
  }

  /** Show nothing more until it is let in anew. */
  #hide(): void {
    const { channel, askers, asker } = this.#options;
    this.#letInAt = undefined;
    this.#unmirror();
    askers.remove(asker);
    channel.rest();
  }

  #unmirror(): void {
    const mirrored = this.#mirrored;
    this.#mirrored = undefined;
    if (!mirrored) return;
    mirrored.feed.channel.unsubscribe(mirrored.subscriber);
    mirrored.feed.leave();
  }
}
