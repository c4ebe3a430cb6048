import type { TestContext } from 'node:test';
import type { SocketIo } from 'socket.io-2';
import createSocketIo from 'socket.io-2';
import type { CometOrigin } from './origin.ts';
import { distinct, ORIGIN_PATH, openHttpOrigin } from './origin.ts';
import { engineWays } from './socket-io.ts';

/** Start socket.io 2, which speaks with pages of its own origin only. */
export async function openSocketIo2(t: TestContext): Promise<CometOrigin> {
  const path = `${ORIGIN_PATH}socket.io`;
  const told: string[] = [];
  let io: SocketIo | undefined;
  const { origin, requests } = await openHttpOrigin(t, (server) => {
    io = createSocketIo(server, { path });
    io.on('connection', (socket) => {
      socket.on('say', (text) => told.push(text));
    });
  });
  io?.origins([origin]);
  t.after(() => io?.close());
  return {
    origin,
    requests,
    told,
    ways: () => distinct(engineWays(requests, path)),
    push: async (text) => io?.emit('push', text),
  };
}
