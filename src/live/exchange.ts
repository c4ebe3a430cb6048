import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { parseCursor } from '../protocol/cursor.ts';
import type { Downstream } from '../shared/downstream.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValue } from '../shared/raw-headers.ts';

/** One request, with what the server has found out about it. */
export interface Exchange {
  readonly req: IncomingMessage;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly downstream: Downstream;
}

/** Who wants the state of a live URL. */
export interface Client {
  readonly downstream: Downstream;
  readonly rawHeaders: RawHeaders;
}

/** Who sends a request. */
export function clientOf({ downstream, req }: Exchange): Client {
  return { downstream, rawHeaders: req.rawHeaders };
}

/** What a client says it has seen last. */
export function lastEventId({ req }: Exchange): string | undefined {
  return parseCursor(headerValue(req.rawHeaders, 'last-event-id'));
}

/** A request that is to be answered. */
export interface HttpExchange extends Exchange {
  readonly res: ServerResponse;
}

/** A request that offers to become a WebSocket. */
export interface UpgradeExchange extends Exchange {
  readonly socket: Socket;
  /** What the client has sent behind its request. */
  readonly head: Buffer;
}

/**
 * What became of a request on a live endpoint's own URL: answered here, or left for the site.
 */
export type LiveResult = 'answered' | 'pass';
