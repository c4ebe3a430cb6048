import { connect } from 'node:net';
import type { Clock, Timer } from '../shared/clock.ts';
import { deferred } from '../shared/deferred.ts';
import type { Logger } from '../shared/logger.ts';
import { MessageSocket } from './message-socket.ts';

/** How an edge reaches the hub. */
export interface HubLinkOptions {
  /** Of the hub's socket. */
  readonly path: string;
  /** Shows that we are one of its own. */
  readonly key: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who is told of what the hub says. */
export interface HubLinkHandlers {
  onMessage(head: unknown, body: Buffer): void;
  /** The hub is there: it knows nothing of us yet. */
  onUp(): void;
  onDown(): void;
}

const RETRY_MS = 100;

/** The connection of an edge to the hub, made again whenever it is lost. */
export class HubLink {
  readonly #options: HubLinkOptions;
  readonly #handlers: HubLinkHandlers;
  readonly #reached = deferred();
  /** Resolves when the hub was reached for the first time. */
  readonly reached = this.#reached.promise;
  #socket: MessageSocket | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: HubLinkOptions, handlers: HubLinkHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    this.#connect();
  }

  get isUp(): boolean {
    return this.#socket !== undefined;
  }

  /** Send a message, if the hub is there. */
  send(head: object, body: readonly Uint8Array[] = []): void {
    this.#socket?.send(head, body);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#socket?.destroy();
  }

  #connect(): void {
    const { path, key, clock, log } = this.#options;
    const socket = connect(path);
    const messages = new MessageSocket(
      socket,
      {
        onMessage: (head, body) => this.#handlers.onMessage(head, body),
        onDrain: () => undefined,
        onClose: () => {
          if (this.#socket) {
            this.#socket = undefined;
            if (!this.#isClosed) this.#handlers.onDown();
          }
          if (!this.#isClosed) this.#timer = clock.after(RETRY_MS, () => this.#connect());
        },
      },
      log,
    );
    socket.once('connect', () => {
      if (this.#isClosed) return messages.destroy();
      this.#socket = messages;
      messages.send({ kind: 'hello', key });
      this.#handlers.onUp();
      this.#reached.resolve();
    });
  }
}
