import type { ChannelEvent } from '../protocol/event.ts';

/** How much a log may hold. */
export interface LogLimits {
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** Events in a row, the oldest first. */
export interface History {
  /** The id just before the oldest event, if it is known. */
  readonly start: string | undefined;
  readonly events: readonly ChannelEvent[];
}

/**
 * The recent state events of one channel, for subscribers that come back. It only saves bandwidth:
 * whoever asks for more than it holds gets a snapshot, which is always a correct answer.
 */
export class EventLog {
  readonly #limits: LogLimits;
  #events: ChannelEvent[] = [];
  #bytes = 0;
  /** The id just before the oldest event: a cursor here can still be served whole. */
  #start: string | undefined;

  constructor(limits: LogLimits) {
    this.#limits = limits;
  }

  /** Events held now. */
  get size(): number {
    return this.#events.length;
  }

  /** Bytes of event data held now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What it holds, for another node. */
  get history(): History {
    return { start: this.#start, events: this.#events };
  }

  /** Hold what another node holds, in place of everything. */
  restore({ start, events }: History): void {
    this.clear();
    this.#start = start;
    for (const event of events) this.append(event);
  }

  append(event: ChannelEvent): void {
    this.#events.push(event);
    this.#bytes += bytesOf(event);
    while (this.#events.length > this.#limits.maxEvents || this.#bytes > this.#limits.maxBytes) {
      const oldest = this.#events.shift();
      if (!oldest) break;
      this.#bytes -= bytesOf(oldest);
      this.#start = oldest.id;
    }
  }

  /** The events after a cursor, oldest first; `undefined` when the cursor is not known here. */
  after(cursor: string): readonly ChannelEvent[] | undefined {
    if (cursor === this.#start) return this.#events;
    // From the newest: who comes back is mostly behind by little.
    for (let i = this.#events.length - 1; i >= 0; i--) {
      if (this.#events[i]?.id === cursor) return this.#events.slice(i + 1);
    }
    return undefined;
  }

  /** Keep nothing but what the newest state is called: who has that has missed nothing. */
  shorten(): void {
    const newest = this.#events.at(-1);
    if (!newest) return;
    this.clear();
    this.#start = newest.id;
  }

  clear(): void {
    this.#events = [];
    this.#bytes = 0;
    this.#start = undefined;
  }
}

function bytesOf(event: ChannelEvent): number {
  return event.data.length + (event.patch?.event.data.length ?? 0);
}
