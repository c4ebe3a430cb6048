import type { TestContext } from 'node:test';
import { Server } from 'socket.io';
import type { SeenRequest } from '../../support/upstream.ts';
import type { CometOrigin } from './origin.ts';
import { distinct, ORIGIN_PATH, openHttpOrigin } from './origin.ts';

/** Start socket.io 4; without CORS, so that pages of other origins get nothing. */
export async function openSocketIo(
  t: TestContext,
  path = `${ORIGIN_PATH}socket.io`,
): Promise<CometOrigin> {
  const told: string[] = [];
  // Its cookie is not confined: it would be sent to the whole site.
  const io = new Server({ path, cookie: { name: 'io', path: '/', httpOnly: true } });
  io.on('connection', (socket) => {
    socket.on('say', (text: string) => told.push(text));
  });
  const { origin, requests } = await openHttpOrigin(t, (server) => io.attach(server));
  t.after(() => io.close());
  return {
    origin,
    requests,
    told,
    ways: () => engineWays(requests, path),
    push: async (text) => void io.emit('push', text),
  };
}

/** How clients of Engine.IO came: by their method, and the transport that they name, if any. */
export function engineWays(requests: readonly SeenRequest[], path: string): string[] {
  const ofEngine = requests.filter(({ url }) => url.startsWith(`${path}/`));
  return distinct(
    ofEngine.map(({ method, url, headers }) => {
      const query = new URL(url, 'http://engine').searchParams;
      const jsonp = query.has('j') ? ' jsonp' : '';
      const upgrade = headers.upgrade ? ` upgrade ${headers.upgrade}` : '';
      return `${method} ${query.get('transport') ?? 'client'}${jsonp}${upgrade}`;
    }),
  );
}
