import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Downstream } from '../shared/downstream.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import type { Witness } from '../shared/witness.ts';
import type { Engine } from './exchange.ts';
import type { Rewriting } from './rewriting.ts';

/** A request that is to be passed on. */
export interface ForwardExchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Path and query: of a mount, what is left below it. */
  readonly target: string;
  readonly downstream: Downstream;
  /** The connection of an upgrade to WebSocket, and what was read behind its request. */
  readonly upgrade: { readonly socket: Socket; readonly head: Buffer } | undefined;
  /** Told the head of the site's answer before any of it is passed on; gives headers to add. */
  readonly onAnswer?: ((status: number, headers: RawHeaders) => RawHeaders) | undefined;
  /** Looks on while the site's answer passes. */
  readonly witness?: Witness | undefined;
}

/** One server that can answer it. */
export interface Attempt {
  readonly engine: Engine;
  /** Path and query at the server. */
  readonly path: string;
  /** The `Host` to send; `undefined` keeps the client's. */
  readonly host: string | undefined;
  readonly rewriting: Rewriting | undefined;
  /** Headers of ours for the answer. */
  readonly extraHeaders: RawHeaders;
  /** It answered, could not be reached, or ended its connection instead of answering. */
  onOutcome(outcome: 'answered' | 'unreached' | 'reset'): void;
}

/** Where requests of one kind go: the site, or the Comet origins of a mount. */
export interface Route {
  /** The servers to try, in order; never empty. */
  attempts(exchange: ForwardExchange): readonly Attempt[];
  /** Longest silence within a body that is no stream; 0 is for ever. */
  readonly bodyTimeoutMs: number;
  close(): Promise<void>;
}
