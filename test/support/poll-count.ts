import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

/** What this process asks of upstreams, also of those that cannot hear it. */
export interface PollCount {
  /** When requests were made, by `now`. */
  readonly madeAt: readonly number[];
  /** Requests without an end. */
  readonly underWay: number;
  /** Connections that are being opened. */
  readonly connecting: number;
  close(): void;
}

/** Count the requests that undici makes, and connections that this process opens, from now on. */
export function countPolls(now: () => number): PollCount {
  const madeAt: number[] = [];
  const open = new Set<unknown>();
  let connecting = 0;

  const onMade = (message: unknown) => {
    madeAt.push(now());
    open.add((message as { request: unknown }).request);
  };
  const onEnded = (message: unknown) => {
    open.delete((message as { request: unknown }).request);
  };
  const onSocket = (message: unknown) => {
    const { socket } = message as { socket: Socket };
    connecting += 1;
    let isConnecting = true;
    const settle = () => {
      if (isConnecting) connecting -= 1;
      isConnecting = false;
    };
    socket.once('connect', settle).once('close', settle);
  };
  const handlers = [
    ['undici:request:create', onMade],
    ['undici:request:trailers', onEnded],
    ['undici:request:error', onEnded],
    ['net.client.socket', onSocket],
  ] as const;
  for (const [name, handler] of handlers) subscribe(name, handler);

  return {
    madeAt,
    get underWay() {
      return open.size;
    },
    get connecting() {
      return connecting;
    },
    close() {
      for (const [name, handler] of handlers) unsubscribe(name, handler);
    },
  };
}
