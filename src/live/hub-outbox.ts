import type { ChannelEvent } from '../protocol/event.ts';

/** What happens to channels of one edge. */
export interface ChannelChange {
  /** They get this; `undefined`: they rest. */
  readonly event: ChannelEvent | undefined;
  readonly refs: readonly number[];
}

/**
 * Gathers what happens in one turn: what many channels show alike, as those of the sessions of one
 * state do, is sent once.
 */
export class HubOutbox {
  readonly #send: (change: ChannelChange) => void;
  #changes: { readonly event: ChannelEvent | undefined; readonly refs: number[] }[] = [];
  #isPlanned = false;

  constructor(send: (change: ChannelChange) => void) {
    this.#send = send;
  }

  /** A channel gets an event, or rests. */
  add(ref: number, event: ChannelEvent | undefined): void {
    const last = this.#changes.at(-1);
    if (last && last.event === event) last.refs.push(ref);
    else this.#changes.push({ event, refs: [ref] });
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    queueMicrotask(() => {
      this.#isPlanned = false;
      this.flush();
    });
  }

  /** Send all now: what follows is about what has happened. */
  flush(): void {
    const changes = this.#changes;
    this.#changes = [];
    for (const change of changes) this.#send(change);
  }
}
