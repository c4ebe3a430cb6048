import { once } from 'node:events';
import type { Clock } from '../shared/clock.ts';
import { http2StreamOf, truncate } from '../shared/truncate.ts';
import type { Framing, FramingOptions } from '../transport/framing.ts';
import type { Outlet } from '../transport/http-connection.ts';
import { HttpConnection } from '../transport/http-connection.ts';
import { Reply } from '../transport/reply.ts';
import type { Unread } from '../transport/unread.ts';
import type { HttpExchange } from './exchange.ts';
import type { StreamOptions, Subscription } from './stream.ts';
import { Stream } from './stream.ts';
import { StreamAges } from './stream-ages.ts';

/** How an answer carries events. */
export interface AnswerOptions {
  readonly framing: Framing;
  /** What of the framing depends on the request; `retryMs` is chosen here. */
  readonly options: Omit<FramingOptions, 'retryMs'>;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  readonly maxBytes: number | undefined;
  /** Whether who has the newest state of a URL is told that it is current. */
  readonly confirms: boolean;
  /** Longest wait of a long poll. */
  readonly waitMs: number;
  /** Called once, when the answer is over. */
  readonly onClose: () => void;
}

/** Longest silence on a stream: below the idle timeouts of proxies, balancers and mobile networks. */
export const HEARTBEAT_MS = 15_000;
/** A peer that read nothing for so long is gone. */
export const STALL_MS = 120_000;
/** How long the first poll may take before a client is answered without its outcome. */
const FIRST_STATE_MS = 2_000;
/** Clients of a proxy that died come back at random moments in this range. */
const RETRY_MS = { from: 2_000, to: 5_000 };
/** Clients whose stream has become old come back at random moments in this range. */
const RENEW_MS = { from: 1_000, to: 3_000 };
/** Clients that are sent away come back at random moments in this range. */
const COME_BACK_MS = { from: 15_000, to: 45_000 };
/** On shutdown no more than one stream ends in this time, as long as the drain time allows it. */
const DRAIN_SPACING_MS = 20;

/** The open streams of this node. */
export class Streams {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #open = new Set<Stream>();
  readonly #ages: StreamAges<Stream> | undefined;
  /** What waits in them for their peers. */
  readonly unread: Unread;
  #onEmpty: (() => void) | undefined;
  #isDraining = false;

  /** @param maxAgeMs - Streams end when they are about so old; 0 is never. */
  constructor(clock: Clock, random: () => number, maxAgeMs: number, unread: Unread) {
    this.unread = unread;
    this.#clock = clock;
    this.#random = random;
    const onOld = (stream: Stream) => stream.end(this.#between(RENEW_MS));
    if (maxAgeMs > 0) this.#ages = new StreamAges({ clock, random, maxAgeMs, onOld });
  }

  /** Streams open now. */
  get size(): number {
    return this.#open.size;
  }

  /** When a client that is sent away should come back. */
  comeBackMs(): number {
    return this.#between(COME_BACK_MS);
  }

  /** Open a stream that begins without a URL. */
  open(options: StreamOptions): Stream {
    const stream: Stream = new Stream({
      ...options,
      onClose: () => {
        this.#open.delete(stream);
        this.#ages?.remove(stream);
        options.onClose();
        if (this.#open.size === 0) this.#onEmpty?.();
      },
    });
    this.#open.add(stream);
    this.#ages?.add(stream);
    if (this.#isDraining) stream.end(this.#between(RETRY_MS));
    return stream;
  }

  /** Answer a request with the events of these subscriptions until either side ends it. */
  async answer(
    exchange: HttpExchange,
    subscriptions: readonly Subscription[],
    answer: AnswerOptions,
  ): Promise<void> {
    // Before waiting for anything: a feed that nobody has joined closes.
    for (const { feed } of subscriptions) feed.join();
    try {
      const outlet = await outletOf(exchange);
      if (outlet) this.#openHttp(exchange, outlet, subscriptions, answer);
      else answer.onClose();
    } finally {
      for (const { feed } of subscriptions) feed.leave();
    }
  }

  /**
   * End all streams at random moments, each with the hint to come back at a random moment, so that
   * the successor is not met by everybody at once.
   *
   * @param windowMs - Longest time to take; few streams take less.
   */
  async drain(windowMs: number): Promise<void> {
    this.#isDraining = true;
    if (this.#open.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    const spreadMs = Math.min(windowMs, this.#open.size * DRAIN_SPACING_MS);
    for (const stream of this.#open) {
      const retryMs = this.#between({ from: 1_000, to: 1_000 + windowMs });
      this.#clock.after(this.#random() * spreadMs, () => stream.end(retryMs));
    }
    await empty;
  }

  /**
   * Cut those for whom most has been waiting for longest, until it is enough: who was only just
   * given a large state may well read it.
   *
   * @returns how many.
   */
  cutSlowest(isEnough: () => boolean): number {
    const slow = [...this.#open]
      .map((stream) => ({ stream, bytes: stream.waitingBytes, byteMs: byteMsOf(stream) }))
      .filter(({ bytes }) => bytes > 0)
      .sort((a, b) => b.byteMs - a.byteMs || b.bytes - a.bytes);
    let cut = 0;
    for (const { stream } of slow) {
      if (isEnough()) break;
      stream.cut();
      cut += 1;
    }
    return cut;
  }

  /** Find out for whom nothing waits any more. */
  recount(): void {
    for (const stream of this.#open) void stream.waitingBytes;
  }

  /** Resolves when the first poll of each has ended, or takes too long to wait for. */
  settled(subscriptions: readonly Pick<Subscription, 'feed'>[]): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.after(FIRST_STATE_MS, resolve);
      void Promise.all(subscriptions.map(({ feed }) => feed.settled)).then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #openHttp(
    { res }: HttpExchange,
    outlet: Outlet,
    subscriptions: readonly Subscription[],
    answer: AnswerOptions,
  ): void {
    const { framing, headers, gzip, maxBytes, waitMs, confirms, onClose } = answer;
    const { carriesBinary, carriesPatches } = framing;
    const clock = this.#clock;
    const shared = {
      clock,
      headers,
      framing: { ...answer.options, retryMs: this.#between(RETRY_MS) },
    };
    const stream = this.open({
      carriesBinary,
      carriesPatches,
      confirms,
      transport: framing.name,
      urls: subscriptions.length,
      onClose,
      connect: (hooks) => {
        const options = { ...shared, ...hooks, stallMs: STALL_MS, unread: this.unread };
        if (framing.delivery === 'reply') {
          const ready = this.settled(subscriptions);
          return new Reply(res, framing, { ...options, waitMs, ready });
        }
        const watch = { heartbeatMs: HEARTBEAT_MS, maxBytes };
        return new HttpConnection(res, outlet, framing, { ...options, ...watch, gzip });
      },
    });
    for (const subscription of subscriptions) stream.add(subscription);
  }

  #between({ from, to }: { from: number; to: number }): number {
    return from + this.#random() * (to - from);
  }
}

async function outletOf({ req, res }: HttpExchange): Promise<Outlet | undefined> {
  const stream = http2StreamOf(res);
  if (stream) {
    // Node ends sockets that are silent for too long by itself, streams it does not.
    stream.on('timeout', () => truncate(res));
    return stream.destroyed || stream.closed ? undefined : stream;
  }
  // A pipelined answer gets its socket only when the one before it is finished.
  if (!res.socket && !req.destroyed) {
    await Promise.race([once(res, 'socket'), once(res, 'close')]).catch(() => undefined);
  }
  return res.socket && !res.destroyed && !res.socket.destroyed ? res.socket : undefined;
}

function byteMsOf({ waitingBytes, waitedMs }: Stream): number {
  return waitingBytes * waitedMs;
}
