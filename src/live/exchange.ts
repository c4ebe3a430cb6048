import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Downstream } from '../shared/downstream.ts';

/** One request, with what the server has found out about it. */
export interface Exchange {
  readonly req: IncomingMessage;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly downstream: Downstream;
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
