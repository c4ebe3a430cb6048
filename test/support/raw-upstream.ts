import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import type { RawPeer } from './raw-peer.ts';
import { watchSocket } from './raw-peer.ts';
import { until } from './until.ts';

/** A backend that speaks bytes, on a free port of the loopback. */
export interface RawUpstream {
  readonly url: string;
  readonly port: number;
  /** Every connection that was accepted, in order. */
  readonly connections: readonly RawPeer[];
  /** The connection with this number, once it is there. */
  connection(index: number): Promise<RawPeer>;
}

/** Start a backend that calls `onConnection` for each connection; closed when the test ends. */
export async function startRawUpstream(
  t: TestContext,
  onConnection: (peer: RawPeer, index: number) => void = () => undefined,
): Promise<RawUpstream> {
  const connections: RawPeer[] = [];
  const server = createServer({ noDelay: true }, (socket: Socket) => {
    const peer = watchSocket(socket);
    connections.push(peer);
    onConnection(peer, connections.length - 1);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  t.after(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const { socket } of connections) socket.destroy();
    await closed;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    connections,
    async connection(index) {
      await until(() => connections.length > index);
      return connections[index] as RawPeer;
    },
  };
}

/** A backend that answers each request without a body by the same bytes, and keeps connections. */
export function answerWith(t: TestContext, answer: string): Promise<RawUpstream> {
  return startRawUpstream(t, (peer) => {
    let answered = 0;
    peer.socket.on('data', () => {
      const heads = peer.received.split('\r\n\r\n').length - 1;
      for (; answered < heads; answered++) peer.send(answer);
    });
  });
}

/** A port of the loopback that nobody listens on. */
export async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
