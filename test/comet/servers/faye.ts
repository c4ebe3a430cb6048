import type { IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';
// Its package.json names this file without the ending.
import faye from 'faye/src/faye_node.js';
import type { CometOrigin } from './origin.ts';
import { distinct, ORIGIN_PATH, openHttpOrigin } from './origin.ts';

/** A poll that a client has begun before it had its stream ends after this at the latest. */
const POLL_SECONDS = 5;

/** Start Faye. Its ways are those of messages: what clients say, and what they are pushed. */
export async function openFaye(t: TestContext, mount = `${ORIGIN_PATH}faye`): Promise<CometOrigin> {
  const told: string[] = [];
  const ids = new Set<string>();
  const ways: string[] = [];
  const adapter = new faye.NodeAdapter({
    mount,
    timeout: POLL_SECONDS,
    extensions: [
      {
        incoming(message, request, pass) {
          if (message.channel === '/say') {
            // A client that waits too long for the answer says it again, by the same id.
            if (!ids.has(message.id)) told.push(String(message.data));
            ids.add(message.id);
            ways.push(`say by ${wayOf(request)}`);
          }
          pass(message);
        },
        outgoing(message, request, pass) {
          // Without a request it is the answer to this server's own client.
          if (message.channel === '/push' && request) ways.push(`push by ${wayOf(request)}`);
          pass(message);
        },
      },
    ],
  });
  const { origin, requests } = await openHttpOrigin(t, (server) => {
    adapter.attach(server);
    // Faye throws when a request fails that it has answered; one that is read cannot fail any more.
    server.prependListener('request', (req) => {
      if (req.method === 'GET') req.resume();
    });
  });
  const client = adapter.getClient();
  t.after(() => {
    client.disconnect();
    adapter.close();
  });
  return {
    origin,
    requests,
    told,
    ways: () => distinct(ways),
    push: async (text) => void (await client.publish('/push', text)),
  };
}

/** How a request has come to be what messages are carried by. */
function wayOf(request: IncomingMessage | null): string | undefined {
  if (request?.headers.accept === 'text/event-stream') return 'stream';
  return request?.headers.upgrade ?? request?.method;
}
