import { decodeEvent, decodeEvents, encodeEvent } from '../cluster/event-codec.ts';
import type { HubLinkHandlers } from '../cluster/hub-link.ts';
import type { Clock, Timer } from '../shared/clock.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { silentLogger } from '../shared/logger.ts';
import type { Identity } from './channel-key.ts';
import { identifyingHeaders } from './channel-key.ts';
import type { ChannelPlacesOptions } from './channel-places.ts';
import { ChannelPlaces } from './channel-places.ts';
import { endSession } from './end-session.ts';
import type { Endpoint } from './endpoint.ts';
import type { Client } from './exchange.ts';
import { FeedFinder } from './feed-finder.ts';
import { feedLabel } from './feed-label.ts';
import type {
  EdgeMessage,
  EdgeQuestion,
  EdgeReport,
  HubMessage,
  SubscriberCounts,
} from './hub-messages.ts';
import { clientText, issuedFrom, issuedText, wantedText } from './hub-messages.ts';
import { identifyWanted } from './identify-wanted.ts';
import type { MirrorLine, Refreshed } from './mirror-feed.ts';
import { MirrorFeed } from './mirror-feed.ts';
import { PassMemory } from './pass-memory.ts';
import type { FoundFeed, Supply } from './supply.ts';
import type { Issued, Tickets } from './tickets.ts';
import type { Wanted } from './wanted.ts';
import type { WriteRequest } from './write-request.ts';

/** What mirrors are made of. */
export interface MirrorsOptions extends ChannelPlacesOptions {
  readonly endpoints: readonly Endpoint[];
  readonly limits: ChannelPlacesOptions['limits'] & { readonly subscribersPerChannel: number };
  /** Keys the names of channels: the hub's. */
  readonly secret: Uint8Array;
  readonly clock: Clock;
  /** Say something to the hub, if it is there. */
  readonly send: (message: EdgeMessage, body?: readonly Uint8Array[]) => void;
}

/** What the rest of an edge does for the hub. */
export interface EdgeDuties {
  readonly tickets: Pick<Tickets, 'accept' | 'endSession'>;
  onPageLoad(client: string): void;
  report(question: EdgeQuestion): Promise<EdgeReport>;
}

interface Open {
  readonly feed: MirrorFeed;
  readonly wanted: Wanted;
  readonly identity: Identity;
}

/** For how long nobody is told that the hub is lost: it comes back within a moment. */
const PATIENCE_MS = 5_000;

/** What an edge shows of what the hub polls. */
export class Mirrors extends FeedFinder implements Supply, HubLinkHandlers {
  readonly #options: MirrorsOptions;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #places: ChannelPlaces;
  readonly #passing: PassMemory;
  readonly #byName = new Map<string, Open>();
  readonly #byRef = new Map<number, MirrorFeed>();
  readonly #calls = new Map<number, (told: Refreshed | undefined) => void>();
  /** Those that are under way. */
  readonly #writes = new Map<number, WriteRequest>();
  #numbers = 0;
  #isUp = false;
  /** The hub is away for so long that clients are told. */
  #isLost = false;
  #lost: Timer | undefined;
  #duties: EdgeDuties | undefined;

  constructor(options: MirrorsOptions) {
    super(options);
    this.#options = options;
    this.#endpoints = new Map(options.endpoints.map((endpoint) => [endpoint.name, endpoint]));
    this.#places = new ChannelPlaces(options);
    // What there is to be said of it the hub says.
    this.#passing = new PassMemory(options.clock, silentLogger);
  }

  /** What the hub may want of the rest of this process. */
  set duties(duties: EdgeDuties) {
    this.#duties = duties;
  }

  identityOf(wanted: Wanted, client: Client): Identity {
    return identifyWanted(wanted, client, this.#options.secret);
  }

  passes(wanted: Wanted, client: Client): boolean {
    return this.#passing.has(this.identityOf(wanted, client).channel);
  }

  beginWrite(request: WriteRequest): (hasChanged: boolean) => void {
    const call = this.#number();
    this.#writes.set(call, request);
    this.#options.send({ kind: 'beginWrite', call, request });
    return (hasChanged) => {
      this.#writes.delete(call);
      this.#options.send({ kind: 'endWrite', call, hasChanged });
    };
  }

  /** SECURITY: here and now; the hub ends what other edges show. */
  endSession(client: Client, status: number): void {
    this.#endHere(client, status);
    this.#options.send({ kind: 'logout', client: clientText(client), status });
  }

  /** Let the other edges redeem a ticket too. */
  shareTicket(ticket: string, issued: Issued): void {
    this.#options.send({ kind: 'ticket', ticket, issued: issuedText(issued) });
  }

  /** Let the other edges know that a client loads a page. */
  sharePageLoad(client: string): void {
    this.#options.send({ kind: 'pageLoad', client });
  }

  /** Subscribers of channels. @param keys - The beginnings of their names. */
  subscribersOf(keys: readonly string[]): Record<string, SubscriberCounts> {
    const named = [...this.#byName].flatMap(([name, { feed }]) => {
      const key = keys.find((each) => name.startsWith(each));
      return key === undefined ? [] : [[key, feed.channel.subscribersByTransport] as const];
    });
    return Object.fromEntries(named);
  }

  onUp(): void {
    this.#isUp = true;
    this.#isLost = false;
    this.#lost?.cancel();
    for (const mirror of this.#byRef.values()) mirror.reopen();
    for (const [call, request] of this.#writes) {
      this.#options.send({ kind: 'beginWrite', call, request });
    }
  }

  /** Streams stay; plain requests pass. */
  onDown(): void {
    this.#isUp = false;
    for (const resolve of this.#calls.values()) resolve(undefined);
    this.#calls.clear();
    this.#lost?.cancel();
    this.#lost = this.#options.clock.after(PATIENCE_MS, () => {
      this.#isLost = true;
      for (const mirror of this.#byRef.values()) mirror.onLost();
    });
  }

  onMessage(head: unknown, body: Buffer): void {
    const message = head as HubMessage;
    switch (message.kind) {
      case 'sync':
        this.#onSync(message, body);
        return;
      case 'apply': {
        const event = decodeEvent(body);
        for (const ref of message.refs) this.#byRef.get(ref)?.apply(event);
        return;
      }
      case 'rest':
        for (const ref of message.refs) this.#byRef.get(ref)?.rest();
        return;
      case 'settled':
        this.#byRef.get(message.ref)?.onSettled();
        return;
      case 'closed':
        this.#byRef.get(message.ref)?.onClosed();
        return;
      case 'refused':
        this.#byRef.get(message.ref)?.onRefused(message.code);
        return;
      case 'refreshed':
        this.#calls.get(message.call)?.(refreshedFrom(message, body));
        this.#calls.delete(message.call);
        return;
      case 'ticket': {
        const issued = issuedFrom(message.issued, this.#endpoints);
        if (issued) this.#duties?.tickets.accept(message.ticket, issued);
        return;
      }
      case 'logout':
        this.#duties?.tickets.endSession(message.client);
        this.#endHere(message.client, message.status);
        return;
      case 'pageLoad':
        this.#duties?.onPageLoad(message.client);
        return;
      case 'ask':
        void this.#answer(message.call, message.question);
    }
  }

  /** Show nothing more. */
  close(): void {
    this.#lost?.cancel();
    for (const mirror of [...this.#byRef.values()]) mirror.close();
    for (const resolve of this.#calls.values()) resolve(undefined);
    this.#calls.clear();
  }

  protected findOrRefuse(wanted: Wanted, client: Client): FoundFeed | ErrorCode {
    const identity = this.identityOf(wanted, client);
    const { channel: name } = identity;
    const mirror = this.#byName.get(name)?.feed ?? this.#open(wanted, client, identity);
    if (typeof mirror === 'string') return mirror;
    return { feed: mirror, passes: this.#passing.has(name) };
  }

  #open(wanted: Wanted, { downstream }: Client, identity: Identity): MirrorFeed | ErrorCode {
    const { clock } = this.#options;
    const { endpoint } = wanted;
    const { channel: name } = identity;
    const used = this.#places.take(wanted, downstream.address, name, 'own');
    if (typeof used === 'string') return used;
    const ref = this.#number();
    const client = { downstream, rawHeaders: identifyingHeaders(identity) };
    const mirror = new MirrorFeed({
      channel: used.channel,
      line: this.#line(ref, wanted, client),
      lingerMs: endpoint.config.linger,
      patienceMs: endpoint.config.every.minMs,
      clock,
      label: feedLabel(wanted, name),
      onLastWord: (word) => this.#passing.onLastWord(endpoint, name, word),
      onClose: () => {
        this.#byRef.delete(ref);
        this.#byName.delete(name);
        used.leave();
      },
    });
    if (this.#isLost) mirror.onLost();
    this.#byRef.set(ref, mirror);
    this.#byName.set(name, { feed: mirror, wanted, identity });
    return mirror;
  }

  #line(ref: number, wanted: Wanted, client: Client): MirrorLine {
    const { send } = this.#options;
    return {
      open(known) {
        const body = known ? encodeEvent(known) : [];
        send({ kind: 'open', ref, wanted: wantedText(wanted), client: clientText(client) }, body);
      },
      close: () => send({ kind: 'close', ref }),
      join: () => send({ kind: 'join', ref }),
      leave: () => send({ kind: 'leave', ref }),
      refresh: async () => {
        if (!this.#isUp) return undefined;
        const call = this.#number();
        return new Promise((resolve) => {
          this.#calls.set(call, resolve);
          send({ kind: 'refresh', ref, call });
        });
      },
    };
  }

  #onSync(message: HubMessage & { readonly kind: 'sync' }, body: Buffer): void {
    const events = decodeEvents(body);
    const lastWord = message.hasEnded ? events.pop() : undefined;
    const stale = message.isStale ? events.pop() : undefined;
    const history = { start: message.start, events };
    const { isConfirmed } = message;
    this.#byRef.get(message.ref)?.adopt({ history, isConfirmed, stale, lastWord });
  }

  #endHere(client: Client, status: number): void {
    endSession([...this.#byName.values()], client, status, this.#options.secret);
  }

  async #answer(call: number, question: EdgeQuestion): Promise<void> {
    let value: EdgeReport = {};
    try {
      value = (await this.#duties?.report(question)) ?? {};
    } catch {
      // Whoever asks is told by the others.
    }
    this.#options.send({ kind: 'answer', call, value });
  }

  #number(): number {
    this.#numbers += 1;
    return this.#numbers;
  }
}

function refreshedFrom(
  { id, ageMs }: HubMessage & { readonly kind: 'refreshed' },
  body: Buffer,
): Refreshed | undefined {
  if (id === undefined) return undefined;
  return { id, ageMs, state: body.length > 0 ? decodeEvent(body) : undefined };
}
