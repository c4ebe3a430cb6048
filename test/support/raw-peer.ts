import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';

/** How the other side ended a connection: with a FIN, or with a reset. */
export type Ending = 'end' | 'reset';

/** One end of a TCP connection, byte by byte. Texts are latin1: one character per byte. */
export interface RawPeer {
  readonly socket: Socket;
  /** Everything that arrived so far. */
  readonly received: string;
  send(bytes: string | Buffer): void;
  /** Wait for a text or pattern among what arrived; rejects when the connection ends before. */
  receive(wanted: string | RegExp): Promise<string>;
  /** Resolves when the connection is over. */
  readonly closed: Promise<Ending>;
  /** Leave with a reset. */
  reset(): void;
}

/** Listen to a socket from now on. */
export function watchSocket(socket: Socket): RawPeer {
  const chunks: Buffer[] = [];
  let text = '';
  let ending: Ending | undefined;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const look of [...waiting]) look();
  };
  const received = () => {
    if (chunks.length > 0) text += Buffer.concat(chunks.splice(0)).toString('latin1');
    return text;
  };
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    wake();
  });
  let hasFailed = false;
  socket.on('error', () => {
    hasFailed = true;
  });
  const closed = new Promise<Ending>((resolve) => {
    socket.once('close', () => {
      ending = hasFailed ? 'reset' : 'end';
      resolve(ending);
      wake();
    });
  });

  return {
    socket,
    closed,
    get received() {
      return received();
    },
    send: (bytes) => void socket.write(bytes, 'latin1'),
    reset: () => void socket.resetAndDestroy(),
    receive: (wanted) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const all = received();
          const isThere = typeof wanted === 'string' ? all.includes(wanted) : wanted.test(all);
          if (!isThere && ending === undefined) return;
          waiting.delete(look);
          if (isThere) resolve(all);
          else reject(new Error(`closed before ${wanted}: ${JSON.stringify(all.slice(-500))}`));
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Connect to a port of the loopback; the connection is closed when the test ends. */
export function connectRaw(t: TestContext, port: number): RawPeer {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  t.after(() => socket.destroy());
  return watchSocket(socket);
}
