import type { TestContext } from 'node:test';
import type { Connection } from 'sockjs';
import sockjs from 'sockjs';
import type { CometOrigin } from './origin.ts';
import { distinct, ORIGIN_PATH, openHttpOrigin, packageFile } from './origin.ts';

/** Where browsers find the client. */
export const SOCKJS_CLIENT = 'sockjs-client/dist/sockjs.min.js';

/** What a page says only to learn whether it is still heard. */
export const ALIVE = 'alive';

/** How long a client may be away before its session ends: a client by iframe waits for this. */
const DISCONNECT_DELAY_MS = 2_000;

/**
 * Start SockJS.
 *
 * @param clientUrl - Where its iframe finds the client, as browsers see it.
 */
export async function openSockjs(t: TestContext, clientUrl: string): Promise<CometOrigin> {
  const prefix = `${ORIGIN_PATH}echo`;
  const told: string[] = [];
  const connections = new Set<Connection>();
  const service = sockjs.createServer({
    prefix,
    sockjs_url: clientUrl,
    jsessionid: true,
    disconnect_delay: DISCONNECT_DELAY_MS,
    log: () => undefined,
  });
  service.on('connection', (connection) => {
    if (!connection) return;
    connections.add(connection);
    connection.on('data', (text) => {
      if (text !== ALIVE) told.push(text);
    });
    connection.on('close', () => connections.delete(connection));
  });
  const scripts = { 'sockjs.js': packageFile(SOCKJS_CLIENT) };
  const { origin, requests } = await openHttpOrigin(
    t,
    (server) => service.installHandlers(server),
    scripts,
  );
  return {
    origin,
    requests,
    told,
    ways: () =>
      distinct(
        requests
          .filter(({ url }) => url.startsWith(`${prefix}/`))
          .map(({ url, method }) => `${method} ${url.split('?')[0]?.split('/').at(-1)}`),
      ),
    push: async (text) => {
      for (const connection of connections) connection.write(text);
    },
  };
}
