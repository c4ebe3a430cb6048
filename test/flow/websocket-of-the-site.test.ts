import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { startTestProxy } from '../support/proxy.ts';

/** A site that echoes at /api/socket, and answers a plain GET there with 426. */
async function startEcho(t: TestContext): Promise<string> {
  const server = createServer((_req, res) => res.writeHead(426).end());
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ENDPOINTS: readonly [which: string, endpoint: object][] = [
  ['whose pattern is live, and which gives no state', {}],
  ['whose pattern is live without the transport "ws"', { transports: ['sse'] }],
];
for (const [which, endpoint] of ENDPOINTS) {
  test(`a WebSocket of the site's own ${which}, is tunnelled`, async (t) => {
    const site = await startEcho(t);
    const live = { '/api/**': { every: '1s', vary: [], ...endpoint } };
    const proxy = await startTestProxy(t, { site, live });
    const client = new WebSocket(`${proxy.url.replace('http', 'ws')}/api/socket`);
    t.after(() => client.terminate());
    await once(client, 'open');
    client.send('hello');
    const [data] = (await once(client, 'message')) as [Buffer];
    assert.equal(String(data), 'hello');
    assert.equal(proxy.streamCount, 0);
  });
}
