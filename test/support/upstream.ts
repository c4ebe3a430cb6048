import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** What reached an upstream. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
}

/** A backend of the test's own, on a free port of the loopback. */
export interface Upstream {
  readonly url: string;
  readonly port: number;
  /** Every request that arrived, in order. */
  readonly requests: SeenRequest[];
  /** Requests whose path (without query) is this one. */
  count(path: string): number;
  /** Upgraded and open sockets. */
  readonly sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
}

/** Start a backend that answers by `handler`; it is closed when the test ends. */
export async function startUpstream(t: TestContext, handler: RequestListener): Promise<Upstream> {
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ keepAliveTimeout: 30_000 }, (req, res) => {
    const { method = '', url = '', rawHeaders, headers } = req;
    requests.push({ method, url, rawHeaders: [...rawHeaders], headers });
    handler(req, res);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let isClosed = false;
  const close = async () => {
    if (isClosed) return;
    isClosed = true;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  t.after(close);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    sockets,
    count: (path) => requests.filter(({ url }) => url.split('?')[0] === path).length,
    close,
  };
}
