import type { Channel } from '../channel/channel.ts';
import { decodeEvent, encodeEvent, encodeEvents } from '../cluster/event-codec.ts';
import type { MessageHandlers, MessageSocket } from '../cluster/message-socket.ts';
import { isLastWord } from '../protocol/event.ts';
import type { Clock } from '../shared/clock.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { ProxyError } from '../shared/errors.ts';
import type { Endpoint } from './endpoint.ts';
import type { Feeds } from './feeds.ts';
import type { EdgeMessage, EdgeReport, HubMessage, SharedMessage } from './hub-messages.ts';
import { wantedFrom } from './hub-messages.ts';
import type { ChannelChange } from './hub-outbox.ts';
import { HubOutbox } from './hub-outbox.ts';
import type { FoundFeed } from './supply.ts';

/** What the hub needs to serve one edge. */
export interface HubEdgeOptions {
  readonly socket: Pick<MessageSocket, 'send' | 'isCrowded'>;
  readonly feeds: Pick<Feeds, 'findForStream' | 'beginWrite'>;
  /** By name. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  readonly clock: Clock;
  /** It says something that is for all edges. */
  readonly onShared: (message: SharedMessage) => void;
  readonly onAnswer: (call: number, report: EdgeReport) => void;
  readonly onClose: () => void;
}

interface Mirror extends FoundFeed {
  streams: number;
  readonly stop: () => void;
}

/** One edge, as the hub sees it: what it shows, and what it waits for. */
export class HubEdge implements MessageHandlers {
  readonly #options: HubEdgeOptions;
  readonly #mirrors = new Map<number, Mirror>();
  readonly #writes = new Map<number, (hasChanged: boolean) => void>();
  readonly #outbox = new HubOutbox((change) => this.#tell(change));
  /** Of channels of which it was not told everything, since it reads too slowly. */
  readonly #behind = new Set<number>();

  constructor(options: HubEdgeOptions) {
    this.#options = options;
  }

  onMessage(head: unknown, body: Buffer): void {
    const message = head as EdgeMessage;
    switch (message.kind) {
      case 'open':
        this.#open(message, body);
        return;
      case 'close':
        this.#forget(message.ref);
        return;
      case 'join':
        this.#join(message.ref);
        return;
      case 'leave':
        this.#leave(message.ref);
        return;
      case 'refresh':
        this.#refresh(message.ref, message.call).catch(() => {
          this.send({ kind: 'refreshed', call: message.call });
        });
        return;
      case 'beginWrite':
        this.#writes.set(message.call, this.#options.feeds.beginWrite(message.request));
        return;
      case 'endWrite':
        this.#writes.get(message.call)?.(message.hasChanged);
        this.#writes.delete(message.call);
        return;
      case 'ticket':
      case 'logout':
      case 'pageLoad':
        this.#options.onShared(message);
        return;
      case 'answer':
        this.#options.onAnswer(message.call, message.value);
    }
  }

  /** It has read what was sent: what was left out meanwhile is as it is now. */
  onDrain(): void {
    const behind = [...this.#behind];
    this.#behind.clear();
    for (const ref of behind) {
      const mirror = this.#mirrors.get(ref);
      if (mirror) this.#sync(ref, mirror.feed.channel, 1);
    }
  }

  /** The edge is gone. */
  onClose(): void {
    for (const ref of [...this.#mirrors.keys()]) this.#forget(ref);
    // Of what broke off nobody knows.
    for (const end of this.#writes.values()) end(true);
    this.#writes.clear();
    this.#options.onClose();
  }

  /** Say something to it, after all that has happened so far. */
  send(message: HubMessage, body: readonly Uint8Array[] = []): void {
    this.#outbox.flush();
    this.#options.socket.send(message, body);
  }

  #open({ ref, ...asked }: EdgeMessage & { readonly kind: 'open' }, body: Buffer): void {
    this.#forget(ref);
    const wanted = wantedFrom(asked.wanted, this.#options.endpoints);
    if (!wanted) return this.send({ kind: 'refused', ref, code: 'NOT_LIVE' });
    let found: FoundFeed;
    try {
      found = this.#options.feeds.findForStream(wanted, asked.client);
    } catch (error) {
      const code: ErrorCode = error instanceof ProxyError ? error.code : 'INTERNAL';
      return this.send({ kind: 'refused', ref, code });
    }
    const { channel } = found.feed;
    // We have begun anew, and it has not: so its clients need not be told all again.
    if (body.length > 0 && !channel.retained) {
      channel.restore({ start: undefined, events: [decodeEvent(body)] });
    }
    const stop = channel.replicate({
      apply: (event) => this.#outbox.add(ref, event),
      rest: () => this.#outbox.add(ref, undefined),
    });
    const mirror = { ...found, streams: 0, stop };
    this.#mirrors.set(ref, mirror);
    this.#sync(ref, channel);
    const tellWhileOpen = (kind: 'settled' | 'closed') => () => {
      if (this.#mirrors.get(ref) === mirror) this.send({ kind, ref });
    };
    void found.feed.settled.then(tellWhileOpen('settled'));
    void found.feed.closed.then(tellWhileOpen('closed')).then(() => {
      if (this.#mirrors.get(ref) === mirror) this.#forget(ref);
    });
  }

  #join(ref: number): void {
    const mirror = this.#mirrors.get(ref);
    if (!mirror) return;
    mirror.streams += 1;
    mirror.feed.join();
  }

  #leave(ref: number): void {
    const mirror = this.#mirrors.get(ref);
    if (!mirror || mirror.streams === 0) return;
    mirror.streams -= 1;
    mirror.feed.leave();
  }

  #forget(ref: number): void {
    const mirror = this.#mirrors.get(ref);
    if (!mirror) return;
    this.#mirrors.delete(ref);
    this.#behind.delete(ref);
    mirror.stop();
    for (; mirror.streams > 0; mirror.streams--) mirror.feed.leave();
  }

  async #refresh(ref: number, call: number): Promise<void> {
    const mirror = this.#mirrors.get(ref);
    const state = mirror && !mirror.passes ? await mirror.feed.refresh() : undefined;
    if (!mirror || state?.id === undefined) return this.send({ kind: 'refreshed', call });
    const asOf = mirror.feed.source?.lastPoll?.asOf;
    const age = asOf === undefined ? {} : { ageMs: this.#options.clock.now() - asOf };
    // Sessions share a state that their own channels show while somebody streams it.
    const isShown = mirror.feed.channel.snapshot?.id === state.id;
    const body = isShown ? [] : encodeEvent(state);
    this.send({ kind: 'refreshed', call, id: state.id, ...age }, body);
  }

  /** Tell all that a channel is. @param maxEvents - Of its log, the newest. */
  #sync(ref: number, channel: Channel, maxEvents = Number.POSITIVE_INFINITY): void {
    const { history, isConfirmed, stale, lastWord } = channel.image;
    const events = history.events.slice(-maxEvents);
    const start = events.length < history.events.length ? undefined : history.start;
    const told = [...events, ...(stale ? [stale] : []), ...(lastWord ? [lastWord] : [])];
    const flags = { isStale: stale !== undefined, hasEnded: lastWord !== undefined };
    this.send({ kind: 'sync', ref, start, isConfirmed, ...flags }, encodeEvents(told));
  }

  #tell({ event, refs: all }: ChannelChange): void {
    const { socket } = this.#options;
    const open = all.filter((ref) => this.#mirrors.has(ref));
    // SECURITY: what must not be shown any more cannot wait.
    const isUrgent = event === undefined || isLastWord(event);
    const refs = isUrgent ? open : open.filter((ref) => !this.#behind.has(ref));
    if (refs.length === 0) return;
    if (socket.isCrowded && !isUrgent) for (const ref of refs) this.#behind.add(ref);
    else if (event) socket.send({ kind: 'apply', refs }, encodeEvent(event));
    else socket.send({ kind: 'rest', refs });
  }
}
