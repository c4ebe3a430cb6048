import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { Logger } from '../shared/logger.ts';
import { MAX_MESSAGE_BYTES } from './frames.ts';
import type { MessageHandlers } from './message-socket.ts';
import { MessageSocket } from './message-socket.ts';

/** Where edges reach the hub. */
export interface HubListenerOptions {
  readonly path: string;
  /** What edges show that they are ours. */
  readonly key: string;
  readonly log: Logger;
  /** An edge is there. */
  readonly onEdge: (socket: MessageSocket) => MessageHandlers;
}

const MAX_HELLO_BYTES = 1_024;
const HELLO_MS = 10_000;

/**
 * Accept the connections of edges.
 *
 * @throws the system's error.
 */
export async function openHubListener(options: HubListenerOptions): Promise<{ close(): void }> {
  const { path } = options;
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    welcome(socket, options);
  });
  // Of a hub that died.
  rmSync(path, { force: true });
  server.listen(path);
  await once(server, 'listening');
  // SECURITY: states of all clients pass here.
  chmodSync(path, 0o600);
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function welcome(socket: Socket, { key, log, onEdge }: HubListenerOptions): void {
  let handlers: MessageHandlers | undefined;
  const messages: MessageSocket = new MessageSocket(
    socket,
    {
      onMessage(head, body) {
        if (handlers) return handlers.onMessage(head, body);
        // SECURITY: whoever else runs as the same user could ask for anybody's state.
        if (!isHello(head, key)) throw new Error('no edge of ours');
        socket.setTimeout(0);
        messages.maxBytes = MAX_MESSAGE_BYTES;
        handlers = onEdge(messages);
      },
      onDrain: () => handlers?.onDrain(),
      onClose: () => handlers?.onClose(),
    },
    log,
  );
  // SECURITY: nobody takes up memory, or a connection, before it is known who it is.
  messages.maxBytes = MAX_HELLO_BYTES;
  socket.setTimeout(HELLO_MS, () => socket.destroy());
}

function isHello(head: unknown, key: string): boolean {
  const hello = head as { readonly kind?: unknown; readonly key?: unknown } | null;
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return (
    hello?.kind === 'hello' &&
    typeof hello.key === 'string' &&
    timingSafeEqual(digest(hello.key), digest(key))
  );
}
