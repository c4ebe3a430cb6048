import type { TestContext } from 'node:test';
import { WebSocket } from 'ws';

/** What `/_comet/ws` says, parsed. */
export interface SocketEnvelope {
  readonly url?: string;
  readonly id?: string;
  readonly event: string;
  readonly data: unknown;
}

/** One message as it arrived. */
export interface SocketMessage {
  readonly bytes: Buffer;
  readonly isBinary: boolean;
}

/** How a connection was closed. */
export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

/** A WebSocket that a test reads message by message. */
export interface SocketClient<T> {
  readonly socket: WebSocket;
  /** Everything received so far. */
  readonly items: readonly T[];
  /** The next message that was not taken yet; rejects when the connection ends before it. */
  next(): Promise<T>;
  /** Send a text as it is, anything else as JSON. */
  say(message: unknown): void;
  /** Resolves when the other side has ended the connection. */
  readonly closed: Promise<SocketEnd>;
}

/** Open `/_comet/ws` below a proxy's URL, with this query; resolves when it is open. */
export function openEnvelopes(
  t: TestContext,
  proxyUrl: string,
  query = '',
  options: WebSocket.ClientOptions = {},
): Promise<SocketClient<SocketEnvelope>> {
  const decode = ({ bytes }: SocketMessage) => JSON.parse(bytes.toString()) as SocketEnvelope;
  return open(t, `${proxyUrl}/_comet/ws${query}`, options, decode);
}

/** Open an endpoint's own URL; resolves when it is open. */
export function openBodies(
  t: TestContext,
  url: string,
  options: WebSocket.ClientOptions = {},
): Promise<SocketClient<SocketMessage>> {
  return open(t, url, options, (message) => message);
}

function open<T>(
  t: TestContext,
  url: string,
  options: WebSocket.ClientOptions,
  decode: (message: SocketMessage) => T,
): Promise<SocketClient<T>> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), options);
  t.after(() => socket.terminate());
  const items: T[] = [];
  const waiting: { resolve: (item: T) => void; reject: (error: Error) => void }[] = [];
  let taken = 0;
  let end: SocketEnd | undefined;
  const serve = () => {
    while (waiting.length > 0 && taken < items.length) {
      waiting.shift()?.resolve(items[taken++] as T);
    }
    if (!end) return;
    const over = new Error(`closed: ${end.code} ${end.reason}`);
    for (const { reject } of waiting.splice(0)) reject(over);
  };
  // From the beginning: the first messages come in the packet of the 101.
  socket.on('message', (data, isBinary) => {
    items.push(decode({ bytes: data as Buffer, isBinary }));
    serve();
  });
  const closed = new Promise<SocketEnd>((resolve) => {
    socket.once('close', (code, reason) => {
      end = { code, reason: reason.toString() };
      serve();
      resolve(end);
    });
  });
  const client: SocketClient<T> = {
    socket,
    items,
    closed,
    next: () =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        serve();
      }),
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
  };
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(client));
    socket.on('error', reject);
  });
}
