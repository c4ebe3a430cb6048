import type { ChannelEvent } from '../protocol/event.ts';
import type { TransportName } from '../protocol/surface.ts';

/** How one transport writes events: bytes only, no sockets, no timers. */
export interface Framing {
  /** Tells framings apart, for people. */
  readonly name: string;
  readonly transport: TransportName;
  /** Whether it can carry events whose data is not UTF-8 text. */
  readonly carriesBinary: boolean;
  /** Headers of the answer beside those that every stream has. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes before the first event. The only ones that may differ between connections. */
  prelude(options: PreludeOptions): string;
  /** Bytes that keep an idle connection alive. */
  readonly heartbeat: string;
  /** The bytes of one event of the endpoint with this URL: the same for every subscriber. */
  frame(event: ChannelEvent, url: string): Buffer;
  /** Bytes that end the stream and ask the client to come back after `retryMs`. */
  farewell(retryMs: number): string;
}

/** What a prelude may depend on. */
export interface PreludeOptions {
  /** How long the client should wait before it reconnects by itself. */
  readonly retryMs: number;
  /** Bytes of padding, for clients that show nothing before they have so many; 0 is none. */
  readonly paddingBytes: number;
}
