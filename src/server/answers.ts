import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * The answers under way on each connection. Requests may be pipelined: while an earlier one is
 * being answered nothing else may be written there.
 */
export class Answers {
  readonly #open = new Map<Duplex, Set<ServerResponse>>();

  /** Note an answer until it is over. */
  add(req: IncomingMessage, res: ServerResponse): void {
    const { socket } = req;
    const open = this.#open.get(socket) ?? this.#welcome(socket);
    open.add(res);
    res.on('close', () => open.delete(res));
    // An answer that waits for its turn has no socket yet, and Node never tells it that the client
    // has left.
    if (res.socket) return;
    const onGone = () => {
      if (res.socket || res.destroyed) return;
      res.destroy();
      res.emit('close');
    };
    socket.once('close', onGone);
    // Or a connection that carries requests without end would collect them all.
    res.once('close', () => socket.off('close', onGone));
  }

  /** A connection keeps its set: the next request is likely to come soon. */
  #welcome(socket: Duplex): Set<ServerResponse> {
    const open = new Set<ServerResponse>();
    this.#open.set(socket, open);
    socket.once('close', () => this.#open.delete(socket));
    return open;
  }

  /** Let each connection end with the last answer that is open on it. */
  beLast(): void {
    for (const open of this.#open.values()) {
      const last = [...open].at(-1);
      if (last && !last.headersSent) last.shouldKeepAlive = false;
    }
  }

  /** Is an earlier request of this connection still being answered? */
  isBusy(socket: Duplex): boolean {
    return (this.#open.get(socket)?.size ?? 0) > 0;
  }

  /** Has an answer begun, so that what is written would be read as a part of it? */
  hasBegun(socket: Duplex): boolean {
    return [...(this.#open.get(socket) ?? [])].some((res) => res.headersSent);
  }
}
