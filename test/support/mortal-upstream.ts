import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** What a mortal upstream is made of. */
export interface MortalUpstreamOptions {
  /** The body of the answer to a `GET` of this path. */
  readonly bodyOf: (path: string) => string;
  readonly now: () => number;
  /** Call back when it is time to answer. */
  readonly answerLater: (callback: () => void) => void;
}

/** A backend that can go down for a while, and come back on the same port. */
export interface MortalUpstream {
  readonly url: string;
  /** When a request arrived, by `now`. */
  readonly requestedAt: readonly number[];
  /** Requests that have not been answered yet. */
  readonly waiting: number;
  /** The most of them at once since it was last reset. */
  mostWaiting: number;
  /** Refuse connections, and reset those that are open. */
  die(): void;
  /** Take connections again. */
  revive(): Promise<void>;
  close(): void;
}

/** Start a backend for requests without a body. */
export async function startMortalUpstream(options: MortalUpstreamOptions): Promise<MortalUpstream> {
  const requestedAt: number[] = [];
  const sockets = new Set<Socket>();
  let waiting = 0;

  function onConnection(socket: Socket): void {
    let text = '';
    let isWaiting = false;
    const settle = () => {
      if (isWaiting) waiting -= 1;
      isWaiting = false;
    };
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      sockets.delete(socket);
      settle();
    });
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (!text.endsWith('\r\n\r\n')) return;
      const path = text.split(' ', 2)[1] ?? '';
      text = '';
      requestedAt.push(options.now());
      isWaiting = true;
      waiting += 1;
      upstream.mostWaiting = Math.max(upstream.mostWaiting, waiting);
      options.answerLater(() => {
        if (isWaiting) socket.write(answer(options.bodyOf(path)));
        settle();
      });
    });
  }

  let server = createServer({ noDelay: true });
  async function listen(port: number): Promise<number> {
    server = createServer({ noDelay: true });
    server.listen({ port, host: '127.0.0.1', backlog: 4_096 });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  const port = await listen(0);
  // While nobody listens, this connection keeps the system from giving the port to somebody else.
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const anchor = connect(port, '127.0.0.1');
  const [anchored] = await accepted;
  server.on('connection', onConnection);

  const upstream: MortalUpstream = {
    url: `http://127.0.0.1:${port}`,
    requestedAt,
    mostWaiting: 0,
    get waiting() {
      return waiting;
    },
    die() {
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
    },
    async revive() {
      await listen(port);
      server.on('connection', onConnection);
    },
    close() {
      upstream.die();
      anchor.destroy();
      anchored.destroy();
    },
  };
  return upstream;
}

function answer(body: string): string {
  const length = Buffer.byteLength(body);
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${length}`;
  return `${head}\r\n\r\n${body}`;
}
