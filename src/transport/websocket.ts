import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { ChannelEvent } from '../protocol/event.ts';
import { isLastWord } from '../protocol/event.ts';
import type { Clock, Timer } from '../shared/clock.ts';
import { eventText } from '../shared/event-text.ts';
import type { Framer } from './coding.ts';
import { deflatedMessage, message } from './coding.ts';
import type { Connection, ConnectionHooks } from './connection.ts';
import { answerEnvelope, BEAT, comeBack, envelope, view } from './envelope.ts';
import { SECOND_BEAT_MS } from './framing.ts';
import type { Unread } from './unread.ts';
import { Backlog } from './unread.ts';

/** How a WebSocket is written to and watched. */
export interface WebSocketOptions extends ConnectionHooks {
  readonly clock: Clock;
  readonly framer: Framer;
  /** Compress where the handshake allows it and the frames that we share fit the client. */
  readonly mayDeflate: boolean;
  /** What clients are told before the connection is closed; bare ones are told nothing. */
  readonly saysFarewell: boolean;
  /** Tell the client's script as well, which sees no pings, and at once when it is open. */
  readonly beats: boolean;
  /** How often the peer is asked whether it is still there. */
  readonly heartbeatMs: number;
  /** A peer that has read not a byte of what waits for it for so long is gone. */
  readonly stallMs: number;
  /** Where what the peer does not take is counted. */
  readonly unread: Unread;
  /** A text message of the client's, and a way to answer with a text that is no event. */
  readonly onMessage: (text: string, tell: (text: string) => void) => void;
}

/** On `/_comet/ws`: one envelope a text message. */
export const envelopes: Framer = { frame: envelope };

/** The same with whole answers. */
export const answers: Framer = { frame: answerEnvelope };

/** On an endpoint's own URL: a message is the body, text or binary; there is no word for others. */
export const bodies: Framer = {
  frame: (event) =>
    event.type === 'snapshot' ? view(eventText(event)?.data ?? event.data) : undefined,
  isBinary: (event) => eventText(event) === undefined,
};

/** Close codes: RFC 6455 §7.4.1, the IANA registry, and our own (4000 + the HTTP status). */
const CLOSE = {
  normal: 1_000,
  unsupported: 1_003,
  policy: 1_008,
  restart: 1_012,
  unauthorized: 4_401,
  gone: 4_410,
} as const;

/** Messages that a client may send at once, and per second in the long run. */
const BURST = 200;
const PER_SECOND = 10;

/**
 * An open WebSocket. The library speaks the protocol; frames with events are written past it, since
 * they are shared by all subscribers.
 */
export class WebSocketConnection implements Connection {
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #options: WebSocketOptions;
  readonly #isDeflated: boolean;
  readonly #backlog: Backlog;
  #timer: Timer | undefined;
  #isAlive = true;
  #isBlocked = false;
  #isOpen = true;
  #closeCode: number = CLOSE.normal;
  #budget = BURST;
  #budgetAt: number;

  /** @param socket - The one below the WebSocket. */
  constructor(ws: WebSocket, socket: Socket, options: WebSocketOptions) {
    this.#ws = ws;
    this.#socket = socket;
    this.#options = options;
    this.#backlog = new Backlog(options.unread);
    this.#isDeflated = options.mayDeflate && ws.extensions.includes('permessage-deflate');
    this.#budgetAt = options.clock.now();
    socket.on('drain', this.#onDrain);
    socket.on('timeout', () => socket.destroy());
    ws.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    ws.on('ping', () => this.#spend());
    ws.on('pong', () => {
      this.#isAlive = true;
    });
    // What went wrong is told to the peer by the close code; 'close' follows.
    ws.on('error', () => undefined);
    ws.once('close', () => this.#stop());
    this.#beat();
    this.#watch(options.beats ? SECOND_BEAT_MS : options.heartbeatMs);
  }

  get isWritable(): boolean {
    return this.#isOpen && !this.#isBlocked;
  }

  get waitingBytes(): number {
    this.#clearIfTaken();
    return this.#socket.writableLength;
  }

  get waitedMs(): number {
    return this.#backlog.waitedMs;
  }

  send(events: readonly ChannelEvent[], url: string, mayCompress: boolean): boolean {
    const coding = this.#isDeflated && mayCompress ? deflatedMessage : message;
    for (const event of events) {
      this.#write(coding.frameOf(this.#options.framer, event, url).bytes);
      if (isLastWord(event)) {
        this.#closeCode = event.type === 'gone' ? CLOSE.gone : CLOSE.unauthorized;
      }
    }
    return this.isWritable;
  }

  end(retryMs?: number): void {
    if (retryMs === undefined) return this.#close(this.#closeCode, '');
    if (this.#options.saysFarewell) this.#write(message.encode(comeBack(retryMs)).bytes);
    this.#close(CLOSE.restart, 'come back later');
  }

  cut(): void {
    this.#backlog.clear();
    this.#ws.terminate();
  }

  /** Close with a code and a reason for people, of at most 123 bytes. */
  #close(code: number, reason: string): void {
    if (!this.#isOpen) return;
    this.#ws.resume();
    // The library ends the socket when the peer does not answer the close frame in time.
    this.#ws.close(code, reason);
    this.#stop();
  }

  #write(bytes: Buffer): void {
    // The library may have ended it already, for something that the peer has sent.
    if (!this.#isOpen || this.#ws.readyState !== this.#ws.OPEN || bytes.length === 0) return;
    this.#clearIfTaken();
    const isTaken = this.#socket.write(bytes);
    if (this.#socket.writableLength > 0) this.#backlog.add(bytes);
    if (isTaken || this.#isBlocked) return;
    this.#isBlocked = true;
    // Nor is it listened to meanwhile: the answers would pile up behind what it does not read.
    this.#ws.pause();
    this.#socket.setTimeout(this.#options.stallMs);
  }

  /** Of less than what would block it nobody tells when it has left. */
  #clearIfTaken(): void {
    if (!this.#backlog.isEmpty && this.#socket.writableLength === 0) this.#backlog.clear();
  }

  #beat(): void {
    if (this.#options.beats) this.#write(message.encode(BEAT).bytes);
  }

  #watch(delayMs: number): void {
    const { clock, heartbeatMs } = this.#options;
    this.#timer = clock.after(delayMs, () => {
      // While it is blocked a pong cannot be expected: the ping waits behind what is not read.
      if (!this.#isBlocked) {
        if (!this.#isAlive) return this.#ws.terminate();
        this.#isAlive = false;
        this.#beat();
        this.#ws.ping();
      }
      this.#watch(heartbeatMs);
    });
  }

  #onMessage(data: unknown, isBinary: boolean): void {
    if (!this.#isOpen || !this.#spend()) return;
    if (isBinary) return this.#close(CLOSE.unsupported, 'only text messages are understood');
    this.#options.onMessage(String(data), (text) => this.#write(message.encode(text).bytes));
  }

  /** SECURITY: each message costs us work, and each ping an answer. */
  #spend(): boolean {
    const now = this.#options.clock.now();
    const earned = ((now - this.#budgetAt) / 1_000) * PER_SECOND;
    this.#budget = Math.min(BURST, this.#budget + earned) - 1;
    this.#budgetAt = now;
    if (this.#budget >= 0) return true;
    this.#close(CLOSE.policy, 'too many messages');
    return false;
  }

  readonly #onDrain = (): void => {
    this.#backlog.clear();
    if (!this.#isBlocked) return;
    this.#isBlocked = false;
    this.#ws.resume();
    this.#socket.setTimeout(0);
    this.#isAlive = true;
    this.#options.onDrain();
  };

  #stop(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#timer?.cancel();
    this.#backlog.clear();
    this.#socket.off('drain', this.#onDrain);
    this.#options.onClose();
  }
}
