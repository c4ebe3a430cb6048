import type { Channel } from '../channel/channel.ts';
import type { ChannelEvent } from '../protocol/event.ts';
import { carriesState, isLastWord } from '../protocol/event.ts';
import type { Clock } from '../shared/clock.ts';

/** One state that a channel has had. */
export interface PastState {
  /** A snapshot, or a last word. Without its data once it is not the newest one any more. */
  readonly event: ChannelEvent;
  /** A short text that is equal for two states when nothing that counts differs between them. */
  readonly mark: () => string;
}

interface Entry extends PastState {
  /** The clock's time of the next one. */
  until: number;
}

/** Marks are short, but writes may come in any number. */
const MAX_ENTRIES = 1_000;
const NO_DATA = new Uint8Array();

/** The states of one channel, as far back as somebody who follows it looks. */
export class StateHistory {
  readonly channel: Channel;
  readonly #clock: Clock;
  readonly #markOf: (state: ChannelEvent) => string;
  readonly #followers = new Set<{ readonly since: number }>();
  readonly #onUnfollowed: () => void;
  readonly #stop: () => void;
  #entries: Entry[] = [];
  #forgottenUntil = Number.NEGATIVE_INFINITY;

  /** @param onUnfollowed - Nobody looks any more; it must not be used after this. */
  constructor(
    channel: Channel,
    clock: Clock,
    markOf: (state: ChannelEvent) => string,
    onUnfollowed: () => void,
  ) {
    this.channel = channel;
    this.#clock = clock;
    this.#markOf = markOf;
    this.#onUnfollowed = onUnfollowed;
    this.#stop = channel.watch((event) => this.#add(event));
    if (channel.retained) this.#add(channel.retained);
  }

  /** Look at the states from now on, the one there is included, until `leave`. */
  follow(): Follower {
    const follower = { since: this.#clock.now() };
    this.#followers.add(follower);
    return {
      channel: this.channel,
      states: () => {
        if (follower.since <= this.#forgottenUntil) return undefined;
        return this.#entries.filter(({ until }) => until >= follower.since);
      },
      leave: () => {
        if (!this.#followers.delete(follower) || this.#followers.size > 0) return;
        this.#stop();
        this.#onUnfollowed();
      },
    };
  }

  #add(event: ChannelEvent): void {
    if (!carriesState(event) && !isLastWord(event)) return;
    const last = this.#entries.pop();
    if (last) this.#entries.push(this.#past(last));
    this.#forget();
    this.#entries.push(this.#newest(event));
  }

  #newest(event: ChannelEvent): Entry {
    let mark: string | undefined;
    const markOnce = () => {
      mark ??= isLastWord(event) ? event.type : this.#markOf(event);
      return mark;
    };
    return { event, mark: markOnce, until: Number.POSITIVE_INFINITY };
  }

  /** What the channel itself does not keep is not kept here either. */
  #past({ event, mark }: Entry): Entry {
    const text = mark();
    const { patch: _patch, ...rest } = event;
    return { event: { ...rest, data: NO_DATA }, mark: () => text, until: this.#clock.now() };
  }

  /** Those who follow stand in the order in which they came. */
  #forget(): void {
    const since = this.#followers.values().next().value?.since ?? Number.POSITIVE_INFINITY;
    this.#entries = this.#entries.filter(({ until }) => until >= since);
    if (this.#entries.length < MAX_ENTRIES) return;
    this.#forgottenUntil = this.#entries.shift()?.until ?? this.#forgottenUntil;
  }
}

/** Who looks at the states of a channel. */
export interface Follower {
  readonly channel: Channel;
  /** All since it began to follow, the newest one last; `undefined` when there were too many. */
  states(): readonly PastState[] | undefined;
  leave(): void;
}
