import type { Socket } from 'node:net';
import type { Logger } from '../shared/logger.ts';
import { FrameReader, frame } from './frames.ts';

/** What is heard over a socket. Nothing may throw but `onMessage`, which ends the connection. */
export interface MessageHandlers {
  /** @param body - Valid during the call only. */
  onMessage(head: unknown, body: Buffer): void;
  /** Called once. */
  onClose(): void;
  /** The peer has taken what made the socket crowded. */
  onDrain(): void;
}

/** Beyond it what can be left out is left out, until the peer has read it all. */
const CROWDED_BYTES = 8 * 1_024 * 1_024;

/** Carries messages between two processes of one machine. */
export class MessageSocket {
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  #isPlanned = false;

  constructor(socket: Socket, handlers: MessageHandlers, log: Logger) {
    this.#socket = socket;
    const reader = new FrameReader((head, body) => handlers.onMessage(head, body));
    this.#reader = reader;
    socket.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch (error) {
        log.error({ err: error }, 'connection between workers failed');
        socket.destroy();
      }
    });
    socket.on('drain', () => handlers.onDrain());
    socket.on('error', (error) => log.debug({ err: error }, 'connection between workers failed'));
    socket.once('close', () => handlers.onClose());
  }

  /** Longest message that is taken of the peer, in bytes. */
  set maxBytes(bytes: number) {
    this.#reader.maxBytes = bytes;
  }

  /** The peer does not keep up. */
  get isCrowded(): boolean {
    return this.#socket.writableLength > CROWDED_BYTES;
  }

  /** Send a message. What is sent in one turn of the event loop leaves together. */
  send(head: object, body: readonly Uint8Array[] = []): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    if (!this.#isPlanned) {
      this.#isPlanned = true;
      socket.cork();
      process.nextTick(() => {
        this.#isPlanned = false;
        socket.uncork();
      });
    }
    for (const part of frame(head, body)) socket.write(part);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
