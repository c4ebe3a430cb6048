import type { ChannelEvent } from '../protocol/event.ts';

/** An open way to one peer, by any transport. */
export interface Connection {
  /** False while the peer is not keeping up, and when the connection is over. */
  readonly isWritable: boolean;
  /**
   * Write events of the endpoint with this URL.
   *
   * @param mayCompress - False where the size of what is sent must not tell of its content.
   * @returns False when the peer is not keeping up any more.
   */
  send(events: readonly ChannelEvent[], url: string, mayCompress: boolean): boolean;
  /** Bytes that the peer has not taken yet. */
  readonly waitingBytes: number;
  /** For how long the peer has not taken all that was written, in milliseconds. */
  readonly waitedMs: number;
  /** End it; with `retryMs` the peer is asked to come back after that time. */
  end(retryMs?: number): void;
  /** End it now, whatever waits: the peer sees that it was cut. */
  cut(): void;
}

/** What a connection tells its owner. */
export interface ConnectionHooks {
  /** The peer has read what was written after `send` gave false. */
  readonly onDrain: () => void;
  /** The connection is over, whoever ended it. Called once. */
  readonly onClose: () => void;
}

/** Headers of every answer that carries events: not stored, transformed, buffered or sniffed. */
export const EVENT_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store, no-transform',
  'x-content-type-options': 'nosniff',
  'x-accel-buffering': 'no', // nginx
  incremental: '?1', // RFC 10036
};
