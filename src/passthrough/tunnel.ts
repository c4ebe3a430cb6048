import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValue, headerValues, listItems } from '../shared/raw-headers.ts';

/** How much a client may send before its upgrade is answered. */
const MAX_EARLY_BYTES = 64 * 1_024;
/** TCP probes on a silent tunnel find a peer that vanished. */
const KEEP_ALIVE_MS = 30_000;
/** How long one side of a tunnel may go on after the other has ended. */
const HALF_OPEN_MS = 30_000;
/** So long a silence is taken for the gap between two messages. */
const QUIET_MS = 250;
/** RFC 6455 §1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * SECURITY: an upstream that says 101 without having understood the handshake is no WebSocket
 * server, and what a client sends next would be read as HTTP there.
 *
 * @throws {ProxyError} when the answer does not fit the key (RFC 6455 §4.1).
 */
export function checkHandshake(answer: RawHeaders, key: string): void {
  const accept = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64');
  const connection = headerValues(answer, 'connection').flatMap(listItems);
  const isUpgrade =
    headerValue(answer, 'upgrade')?.toLowerCase() === 'websocket' &&
    connection.some((token) => token.toLowerCase() === 'upgrade');
  if (!isUpgrade || headerValue(answer, 'sec-websocket-accept') !== accept) {
    throw new ProxyError('UPSTREAM_INVALID', 'a 101 that does not answer the handshake');
  }
}

/** Reads a client's socket while its upgrade is not answered: unread, it would not see it leave. */
export class EarlyBytes {
  readonly #socket: Socket;
  readonly #chunks: Buffer[];
  #bytes: number;

  /** @param head - What has been read behind the request already. */
  constructor(socket: Socket, head: Buffer) {
    this.#socket = socket;
    this.#chunks = [head];
    this.#bytes = head.length;
    socket.on('data', this.#onData);
    socket.once('end', this.#onEnd);
  }

  /** The upgrade was refused: go on reading, and drop it. */
  discard(): void {
    this.#socket.off('data', this.#onData);
    this.#chunks.length = 0;
    this.#socket.resume();
  }

  /** Stop, and give what has been read. */
  take(): Buffer {
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.pause();
    return Buffer.concat(this.#chunks.splice(0));
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_EARLY_BYTES) this.#socket.destroy();
  };

  readonly #onEnd = (): void => {
    this.#socket.destroy();
  };
}

/** Open tunnels: bytes both ways, of which nothing is understood. */
export class Tunnels {
  readonly #clock: Clock;
  readonly #open = new Set<Tunnel>();
  /** Set while all are to end. */
  #deadline: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Join two connections, beginning with what the client has sent already. */
  join(client: Socket, upstream: Duplex, early: Buffer): void {
    const tunnel = new Tunnel(client, upstream, this.#clock);
    this.#open.add(tunnel);
    // An upgrade may be answered when the others are over.
    if (this.#deadline !== undefined && this.#open.size === 1) {
      this.#clock.after(QUIET_MS, () => this.#endQuiet());
    }
    client.once('close', () => this.#open.delete(tunnel));
    tunnel.start(early);
  }

  /** End each tunnel in a moment when nothing is said, at the latest after this time. */
  drain(windowMs: number): void {
    this.#deadline = this.#clock.now() + windowMs;
    this.#endQuiet();
  }

  #endQuiet(): void {
    const isLate = this.#clock.now() >= (this.#deadline ?? Infinity);
    for (const tunnel of this.#open) if (isLate || tunnel.isQuiet) tunnel.end();
    if (this.#open.size > 0) this.#clock.after(QUIET_MS, () => this.#endQuiet());
  }
}

class Tunnel {
  readonly #client: Socket;
  readonly #upstream: Duplex;
  readonly #clock: Clock;
  #lastDataAt: number;

  constructor(client: Socket, upstream: Duplex, clock: Clock) {
    this.#client = client;
    this.#upstream = upstream;
    this.#clock = clock;
    this.#lastDataAt = clock.now();
  }

  get isQuiet(): boolean {
    return this.#clock.now() - this.#lastDataAt >= QUIET_MS;
  }

  start(early: Buffer): void {
    const [client, upstream] = [this.#client, this.#upstream];
    for (const socket of [client, upstream as Socket]) {
      socket.setTimeout?.(0);
      socket.setNoDelay?.(true);
      socket.setKeepAlive?.(true, KEEP_ALIVE_MS);
      socket.on('data', this.#onData);
    }
    // A reset on one side is one on the other; heard, or it would end the process.
    upstream.on('error', () => client.destroy());
    client.once('error', () => upstream.destroy());
    upstream.once('close', () =>
      upstream.readableEnded ? client.destroySoon() : client.destroy(),
    );
    client.once('close', () => upstream.destroy());
    // Who has said all still gets an answer, but not for ever.
    const close = () => {
      const lingering = this.#clock.after(HALF_OPEN_MS, () => {
        client.destroy();
        upstream.destroy();
      });
      client.once('close', () => lingering.cancel());
    };
    client.once('end', close);
    upstream.once('end', close);
    if (early.length > 0) upstream.write(early);
    client.pipe(upstream);
    upstream.pipe(client);
  }

  end(): void {
    this.#upstream.end();
    this.#client.end();
    this.#clock.after(QUIET_MS, () => this.#client.destroy());
  }

  readonly #onData = (): void => {
    this.#lastDataAt = this.#clock.now();
  };
}
