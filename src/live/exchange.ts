import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Downstream } from '../shared/downstream.ts';
import type { Framing } from '../transport/framing.ts';

/** One request, with what the server has found out about it. */
export interface LiveExchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly downstream: Downstream;
}

/** A request for a stream whose sender may read it. */
export interface StreamRequest extends LiveExchange {
  readonly framing: Framing;
  /** Headers that let the sender's page read the answer. */
  readonly cors: Readonly<Record<string, string>>;
}

/**
 * What became of a request on a live endpoint's own URL: answered here, or left for the site.
 */
export type LiveResult = 'answered' | 'pass';
