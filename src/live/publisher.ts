import type { Channel } from '../channel/channel.ts';
import type { Backplane, Lease } from '../cluster/backplane.ts';
import type { Ended, PolledState, PollOutcome } from '../poll/detect.ts';
import type { PatchFormat } from '../poll/diff.ts';
import { patchText } from '../poll/diff.ts';
import { eventId } from '../protocol/cursor.ts';
import type { ChannelEvent, Patch } from '../protocol/event.ts';
import { controlEvent, patchEvent } from '../protocol/event.ts';
import type { Logger } from '../shared/logger.ts';
import { isJson } from '../shared/media-type.ts';
import { lastWord, logLastWord, staleWord } from './feed-words.ts';

/** What a publisher is made of. */
export interface PublisherOptions {
  readonly channel: Channel;
  readonly backplane: Backplane;
  /** The right to write to the channel. */
  readonly lease: Lease;
  /** How changes are told to subscribers who have the state before. */
  readonly patch: PatchFormat | 'none';
  readonly log: Logger;
  /** How the log names the channel; holds no secret. */
  readonly label: Readonly<Record<string, string>>;
}

/** Turns what polls have found into the events of one channel, as long as a lease lasts. */
export class Publisher {
  readonly #options: PublisherOptions;
  #seq = 0;
  #hasPublished = false;
  #isStale: boolean;

  constructor(options: PublisherOptions) {
    this.#options = options;
    // The holder before may have left in the middle of a failure.
    this.#isStale = options.channel.isStale;
  }

  /** There is another state. */
  async changed(state: PolledState): Promise<void> {
    await this.#publish(this.#snapshot(state));
    if (this.#isStale) await this.#tellFresh();
  }

  /** The state is still as it was. */
  async unchanged(): Promise<void> {
    if (!this.#hasPublished) await this.#announce();
    this.#options.channel.confirm();
    if (this.#isStale) await this.#tellFresh();
  }

  /** Nobody can say how the state is. */
  async failed(outcome: PollOutcome & { kind: 'failed' }): Promise<void> {
    if (this.#isStale) return;
    this.#isStale = true;
    const { log, label, channel } = this.#options;
    const { code, message } = outcome.error;
    log.warn({ ...label, code }, `poll failed: ${message}`);
    await this.#publish(staleWord(outcome, channel.snapshot?.id));
  }

  /** There is nothing more to say. */
  async ended(outcome: Ended): Promise<void> {
    logLastWord(outcome, this.#options);
    await this.#publish(lastWord(outcome));
  }

  async #tellFresh(): Promise<void> {
    this.#isStale = false;
    const { log, label, channel } = this.#options;
    log.info(label, 'polls work again');
    await this.#publish(controlEvent('fresh', channel.snapshot?.id, {}));
  }

  #snapshot(state: PolledState): ChannelEvent {
    this.#seq += 1;
    this.#hasPublished = true;
    const id = eventId(this.#options.lease.epoch, this.#seq);
    const patch = this.#patch(id, state);
    return { type: 'snapshot', id, ...state, ...(patch ? { patch } : {}) };
  }

  /** The way to a new state from the one before it, where both are JSON. */
  #patch(id: string, state: PolledState): Patch | undefined {
    const { patch: format, channel } = this.#options;
    const before = channel.retained;
    if (format === 'none' || before?.id === undefined) return undefined;
    const areJson = [before, state].every(
      ({ encoding, headers }) => encoding === 'utf8' && isJson(headers['content-type'] ?? ''),
    );
    const text = areJson ? patchText(format, before.data, state.data) : undefined;
    return text === undefined
      ? undefined
      : { base: before.id, event: patchEvent(format, id, text) };
  }

  /** Nodes that join from now on must learn of a state that only an earlier lease has published. */
  async #announce(): Promise<void> {
    const state = this.#options.channel.retained;
    if (!state) return;
    this.#hasPublished = true;
    await this.#publish(state);
  }

  async #publish(event: ChannelEvent): Promise<void> {
    const { lease, backplane } = this.#options;
    if (lease.isValid()) await backplane.publish(lease, event);
  }
}
