import type { ChannelEvent } from '../protocol/event.ts';
import type { ErrorCode } from '../shared/errors.ts';

/** Longer than any buffer that is flushed by a timer holds back, shorter than a client waits. */
export const SECOND_BEAT_MS = 500;

/** How one HTTP transport writes events: bytes only, no sockets, no timers. */
export type Framing = StreamFraming | ReplyFraming;

interface FramingBase {
  /** Tells framings apart, for people. */
  readonly name: string;
  /** Whether it can carry events whose data is not UTF-8 text. */
  readonly carriesBinary: boolean;
  /** Whether its readers can tell a patch from a snapshot. */
  readonly carriesPatches: boolean;
  /** Headers of the answer beside those that every stream has. */
  headers(options: FramingOptions): Readonly<Record<string, string>>;
  /**
   * The bytes of one event of the endpoint with this URL: the same for every subscriber.
   * `undefined` where this transport has no way to say it.
   */
  frame(event: ChannelEvent, url: string): Buffer | undefined;
  /**
   * A whole body of an answer with status 200 that tells a refusal, for clients that cannot see a
   * status. `undefined`, or no such function, where they can.
   */
  refusal?(code: ErrorCode, options: FramingOptions): string | undefined;
}

/** An answer that stays open. */
export interface StreamFraming extends FramingBase {
  readonly delivery: 'stream';
  /** Whether compressing it is of any use. */
  readonly isCompressible: boolean;
  /** Bytes before the first event. The only ones that may differ between connections. */
  prelude(options: FramingOptions): string;
  /** Bytes that keep an idle connection alive; `undefined` writes the last event once more. */
  readonly heartbeat: string | undefined;
  /**
   * When the second heartbeat comes: it shows a client that the way to it buffers nothing.
   * `undefined` is with the others.
   */
  readonly secondBeatMs?: number;
  /** Bytes that end the stream, and with `retryMs` ask the client to come back after that time. */
  farewell(retryMs: number | undefined): string;
  /** The framing of what follows this event, where that depends on it. */
  after?(event: ChannelEvent): StreamFraming;
}

/** An answer that ends after its first batch of events: a long poll. */
export interface ReplyFraming extends FramingBase {
  readonly delivery: 'reply';
  /** The whole body around these frames; none when nothing happened in time. */
  body(frames: readonly Buffer[], options: FramingOptions): Buffer;
  /** A frame that asks the client to come back after `retryMs`. */
  farewell(retryMs: number): Buffer;
}

/** What the bytes around the events may depend on. */
export interface FramingOptions {
  /** How long the client should wait before it reconnects by itself. */
  readonly retryMs: number;
  /** Bytes of padding, for clients that show nothing before they have so many; 0 is none. */
  readonly paddingBytes: number;
  /** The function that a JSONP answer calls: a checked identifier. */
  readonly callback: string;
  /** The number of a forever iframe. */
  readonly frame: number;
  /** The origin of the page that reads. */
  readonly page: string;
  /** True when that is not our own. */
  readonly isForeign: boolean;
}
