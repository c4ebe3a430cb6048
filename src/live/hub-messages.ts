import type { DiscoveryReport } from '../shared/discovery-report.ts';
import type { Downstream } from '../shared/downstream.ts';
import type { ErrorCode } from '../shared/errors.ts';
import type { Explanation, Question } from '../shared/explanation.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { Endpoint } from './endpoint.ts';
import type { Client } from './exchange.ts';
import type { Issued } from './tickets.ts';
import type { Wanted } from './wanted.ts';
import type { WriteRequest } from './write-request.ts';

/*
 * What the hub, which polls, and the edges, which face clients, say to each other. `ref` is an edge's
 * number for one of its mirrors, `call` one for an answer that is waited for.
 */

/** What an edge says. */
export type EdgeMessage =
  /** Show me this. The body may be the last state that is known, as one event. */
  | { readonly kind: 'open'; readonly ref: number; readonly wanted: WantedText; client: ClientText }
  | { readonly kind: 'close' | 'join' | 'leave'; readonly ref: number }
  | { readonly kind: 'refresh'; readonly ref: number; readonly call: number }
  | { readonly kind: 'beginWrite'; readonly call: number; readonly request: WriteRequest }
  | { readonly kind: 'endWrite'; readonly call: number; readonly hasChanged: boolean }
  | SharedMessage
  | { readonly kind: 'answer'; readonly call: number; readonly value: EdgeReport };

/** What the hub says. */
export type HubMessage =
  /** All that a channel is: the body is its log, then its `stale`, then its last word. */
  | {
      readonly kind: 'sync';
      readonly ref: number;
      readonly start: string | undefined;
      readonly isConfirmed: boolean;
      readonly isStale: boolean;
      readonly hasEnded: boolean;
    }
  /** The body is an event, for all of these: of the state that is known, it is confirmed. */
  | { readonly kind: 'apply'; readonly refs: readonly number[] }
  | { readonly kind: 'rest'; readonly refs: readonly number[] }
  | { readonly kind: 'settled' | 'closed'; readonly ref: number }
  | { readonly kind: 'refused'; readonly ref: number; readonly code: ErrorCode }
  | {
      /** The body is the state, as one event, unless the channel has it. */
      readonly kind: 'refreshed';
      readonly call: number;
      /** Of the state; absent when it cannot be had. */
      readonly id?: string;
      /** Since it was known to be so. */
      readonly ageMs?: number;
    }
  | SharedMessage
  | { readonly kind: 'ask'; readonly call: number; readonly question: EdgeQuestion };

/** What one edge says is for all of them. */
export type SharedMessage =
  | { readonly kind: 'ticket'; readonly ticket: string; readonly issued: IssuedText }
  | { readonly kind: 'logout'; readonly client: ClientText; readonly status: number }
  /** What may hold its polls is to know: see `Acquaintances`. */
  | { readonly kind: 'pageLoad'; readonly client: string };

/** What somebody wants to know of the edges. */
export type EdgeQuestion =
  | { readonly about: 'request'; readonly question: Question }
  /** Of channels, by the beginnings of their names. */
  | { readonly about: 'subscribers'; readonly keys: readonly string[] }
  | { readonly about: 'traffic' };

/** What an edge knows. */
export interface EdgeReport {
  readonly explanation?: Explanation;
  /** By key, by transport. */
  readonly subscribers?: Readonly<Record<string, SubscriberCounts>>;
  readonly traffic?: DiscoveryReport;
}

/** Subscribers by transport. */
export type SubscriberCounts = Readonly<Record<string, number>>;

/** A `Wanted` in JSON. */
export interface WantedText {
  readonly endpoint: string;
  readonly url: string;
  readonly target: string;
  readonly content?: { readonly type: string | undefined; readonly base64: string };
  readonly callerId?: string;
}

/** A `Client` in JSON. */
export interface ClientText {
  readonly downstream: Downstream;
  readonly rawHeaders: RawHeaders;
}

/** What is known of a ticket, in JSON. */
export interface IssuedText {
  readonly wanted: WantedText;
  readonly client: ClientText;
  readonly forwarded: readonly (readonly [string, readonly string[]])[];
  readonly address: string;
  readonly userAgent: string;
}

export function wantedText({ endpoint, url, target, content, callerId }: Wanted): WantedText {
  const bytes = content?.bytes.toString('base64') ?? '';
  return {
    endpoint: endpoint.name,
    url,
    target,
    ...(content ? { content: { type: content.type, base64: bytes } } : {}),
    ...(callerId === undefined ? {} : { callerId }),
  };
}

/** @param endpoints - By name. `undefined` when it is none of them. */
export function wantedFrom(
  { endpoint: name, url, target, content, callerId }: WantedText,
  endpoints: ReadonlyMap<string, Endpoint>,
): Wanted | undefined {
  const endpoint = endpoints.get(name);
  if (!endpoint) return undefined;
  const bytes = content && Buffer.from(content.base64, 'base64');
  return { endpoint, url, target, content: bytes && { type: content.type, bytes }, callerId };
}

export function clientText({ downstream, rawHeaders }: Client): ClientText {
  return { downstream, rawHeaders };
}

export function issuedText({ wanted, client, forwarded, ...rest }: Issued): IssuedText {
  const { address, userAgent } = rest;
  return {
    wanted: wantedText(wanted),
    client: clientText(client),
    forwarded: [...forwarded],
    address,
    userAgent,
  };
}

/** @param endpoints - By name. `undefined` when it is for none of them. */
export function issuedFrom(
  { wanted: text, client, forwarded, address, userAgent }: IssuedText,
  endpoints: ReadonlyMap<string, Endpoint>,
): Issued | undefined {
  const wanted = wantedFrom(text, endpoints);
  return wanted && { wanted, client, forwarded: new Map(forwarded), address, userAgent };
}
