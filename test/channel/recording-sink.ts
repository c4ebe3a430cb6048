import type { Channel } from '../../src/channel/channel.ts';
import type { Sink, Subscriber } from '../../src/channel/subscriber.ts';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { label } from '../protocol/events.ts';

/** A peer that a test makes slow, and that keeps what it receives. */
export class RecordingSink implements Sink {
  readonly transport = 'recorded';
  isWritable = true;
  takesPatches = false;
  /** How often the channel said that it is over. */
  endedCount = 0;
  /** Called while events are being written. */
  onSend: (() => void) | undefined;
  readonly events: ChannelEvent[] = [];
  #isFull = false;

  /** Events received so far, in short. */
  get labels(): string[] {
    return this.events.map(label);
  }

  /** The next write fills the peer's buffer: it is taken, and the one after it is not. */
  fill(): void {
    this.#isFull = true;
  }

  /** The peer has read everything. */
  drain(subscriber: Subscriber): void {
    this.isWritable = true;
    subscriber.flush();
  }

  send(events: readonly ChannelEvent[]): boolean {
    if (!this.isWritable) throw new Error('written to a peer that does not keep up');
    this.events.push(...events);
    if (this.#isFull) this.isWritable = false;
    this.#isFull = false;
    this.onSend?.();
    return this.isWritable;
  }

  ended(): void {
    this.endedCount += 1;
  }
}

/** Subscribe a new peer. */
export function subscribe(
  channel: Channel,
  ...cursors: string[]
): { sink: RecordingSink; subscriber: Subscriber } {
  const sink = new RecordingSink();
  return { sink, subscriber: channel.subscribe(sink, cursors) };
}
