import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { RequestBody } from './request-body.ts';

/** A request as it is to leave toward an upstream. */
export interface Outgoing {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly method: string;
  /** Path and query of the request line. */
  readonly path: string;
  /** Flat list; `Host` is in it, nothing that frames or belongs to the connection is. */
  readonly headers: RawHeaders;
  /** `undefined` when there is none. */
  readonly body: RequestBody | undefined;
  /** Ask for an upgrade to WebSocket. */
  readonly isUpgrade: boolean;
  /** Send it on a connection that has carried nothing before. */
  readonly isFresh: boolean;
}

/** The head of an upstream's answer. */
export interface Head {
  readonly status: number;
  /** As far as it is printable. */
  readonly reason: string | undefined;
  /** Names, values, order and bytes (as latin1) as received. */
  readonly headers: RawHeaders;
}

/** What is told of an upstream's answer, in this order; nothing after `onEnd` or `onError`. */
export interface AnswerHandler {
  /** Also informational ones, before the final one. May throw a `ProxyError`: it comes back as `onError`. */
  onHead(head: Head): void;
  /** @returns False to pause. */
  onData(chunk: Buffer): boolean;
  onEnd(trailers: RawHeaders): void;
  /** The answer is a 101 to an upgrade that was asked for: the connection is the handler's. Never throws. */
  onUpgrade(headers: RawHeaders, upstream: Duplex): void;
  onError(error: unknown): void;
}

/** The answer on its way. */
export interface Flow {
  /** Go on after `onData` gave false. */
  resume(): void;
  /** Give it up; `onError` is called with this error, unless all is over. */
  abort(error: Error): void;
}

/** A way to exchange a request and its answer with one upstream. */
export interface Engine {
  exchange(outgoing: Outgoing, handler: AnswerHandler): Flow;
  /** A connection carries one exchange after the other, and may be closed as it is used again. */
  readonly reusesConnections: boolean;
  /** End all connections. */
  close(): Promise<void>;
}

/** Answers that have no body, whatever their headers say (RFC 9112 §6.3). */
export function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}
