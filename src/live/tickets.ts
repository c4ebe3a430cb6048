import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../shared/clock.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValue } from '../shared/raw-headers.ts';
import type { Identity } from './channel-key.ts';
import { identifyingHeaders } from './channel-key.ts';
import { haveSameCredentials } from './credentials.ts';
import type { Client } from './exchange.ts';
import type { Wanted } from './wanted.ts';

/** What tickets are made of. */
export interface TicketsOptions {
  readonly clock: Clock;
  /** Random, at least 32 bytes. */
  readonly secret: Uint8Array;
  /** Who somebody is for an endpoint: what its polls and its probes carry of a client. */
  readonly identify: (wanted: Wanted, client: Client) => Identity;
  /** Told of each ticket that others, who may have to redeem it, may not know. */
  readonly onIssued?: ((ticket: string, issued: Issued) => void) | undefined;
}

/** What a ticket stands for: a request as it was sent. */
export interface Admitted {
  readonly wanted: Wanted;
  readonly client: Client;
}

/** What is known of a ticket. */
export interface Issued extends Admitted {
  readonly forwarded: Identity['forwarded'];
  readonly address: string;
  readonly userAgent: string;
}

/** The oldest go first; who comes with one of those gets a new one with the next request. */
const MAX_TICKETS = 20_000;
/** SECURITY: a ticket holds the body of a `POST` and whole cookies, which clients choose. */
const MAX_BYTES = 32 * 1_024 * 1_024;
/** Of a ticket that holds nothing. */
const BASE_BYTES = 1_024;
const VALID_MS = 3_600_000;
/** Others are not told more often of one ticket. */
const TELL_EVERY_MS = 30_000;

/**
 * Hands out the right to follow what a plain request was answered with. A stream cannot carry what
 * the request carried: headers that a script sets, cookies of a narrower path, a body.
 *
 * SECURITY: a ticket is a secret of its client: 132 bits that nobody can guess or make, and worth
 * nothing to who comes from another address, or with another browser. It leads to the very channel
 * of the request that brought it, whose polls the site can refuse as ever.
 */
export class Tickets {
  readonly #options: TicketsOptions;
  readonly #issued: LRUCache<string, Issued>;
  readonly #toldAt = new LRUCache<string, number>({ max: MAX_TICKETS });

  constructor(options: TicketsOptions) {
    this.#options = options;
    const { clock } = options;
    this.#issued = new LRUCache({
      max: MAX_TICKETS,
      maxSize: MAX_BYTES,
      sizeCalculation: bytesOf,
      ttl: VALID_MS,
      ttlResolution: 0,
      perf: { now: () => clock.now() + 1 }, // 0 would mean "never used"
    });
  }

  /** A ticket for what this request wants: the same one for the same client. */
  issue(wanted: Wanted, client: Client): string {
    const { identify, secret } = this.#options;
    const identity = identify(wanted, client);
    const { channel, forwarded } = identity;
    const { address } = client.downstream;
    const userAgent = userAgentOf(client.rawHeaders);
    const ticket = createHmac('sha256', secret)
      .update(JSON.stringify([channel, address, userAgent]))
      .digest('base64url')
      .slice(0, 22);
    const { downstream } = client;
    const issued = {
      wanted,
      client: { downstream, rawHeaders: identifyingHeaders(identity) },
      forwarded,
      address,
      userAgent,
    };
    this.#issued.set(ticket, issued);
    this.#tellOthers(ticket, issued);
    return ticket;
  }

  /** Redeem a ticket that another process has issued as well. */
  accept(ticket: string, issued: Issued): void {
    this.#issued.set(ticket, issued);
  }

  /** What a ticket stands for; `undefined` when it is not valid for whoever comes with it. */
  redeem(ticket: string, { downstream, rawHeaders }: Client): Admitted | undefined {
    const issued = this.#issued.get(ticket);
    const isBearer =
      issued?.address === downstream.address && issued.userAgent === userAgentOf(rawHeaders);
    return isBearer ? issued : undefined;
  }

  /** A session is over: its tickets lead nowhere any more. */
  endSession(client: Client): void {
    for (const [ticket, { wanted, forwarded }] of this.#issued.entries()) {
      const own = this.#options.identify(wanted, client).forwarded;
      if (haveSameCredentials(forwarded, own)) this.#issued.delete(ticket);
    }
  }

  #tellOthers(ticket: string, issued: Issued): void {
    const { onIssued, clock } = this.#options;
    if (!onIssued) return;
    const now = clock.now();
    const toldAt = this.#toldAt.get(ticket);
    // Others may have come anew since.
    if (toldAt !== undefined && now - toldAt < TELL_EVERY_MS) return;
    this.#toldAt.set(ticket, now);
    onIssued(ticket, issued);
  }
}

function bytesOf({ wanted, client, userAgent }: Issued): number {
  const texts = [userAgent, wanted.url, wanted.target, ...client.rawHeaders];
  const held = texts.reduce((sum, text) => sum + 2 * text.length, 0);
  return BASE_BYTES + held + (wanted.content?.bytes.length ?? 0);
}

function userAgentOf(rawHeaders: RawHeaders): string {
  return headerValue(rawHeaders, 'user-agent') ?? '';
}
