import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { SeenRequest } from '../../support/upstream.ts';

/** A Comet server of somebody else, which lives on a host and under a path of its own. */
export interface CometOrigin {
  /** Scheme, host and port, as it names itself. */
  readonly origin: string;
  /** Every request that reached it, WebSockets as well. */
  readonly requests: readonly SeenRequest[];
  /** What clients have said to it. */
  readonly told: readonly string[];
  /** The ways in which clients have come, in the server's own words; each once, sorted. */
  ways(): string[];
  /** Tell all clients. */
  push(text: string): Promise<void>;
}

/** The name that Comet servers have here. It must be one that this machine's resolver knows. */
export const ORIGIN_HOST = 'localhost';

/** The path that Comet servers live under here. */
export const ORIGIN_PATH = '/origin/';

/** The cookie of the Comet server: the site has one of this name too. */
export const ORIGIN_COOKIE = 'SESSION=origin';

/** Set with all that makes a cookie wide, as servers do that think themselves alone. */
export const ORIGIN_SET_COOKIE = `${ORIGIN_COOKIE}; Domain=${ORIGIN_HOST}; Path=/; HttpOnly`;

/** A file of an installed package. */
export function packageFile(path: string): string {
  return readFileSync(new URL(`../../../node_modules/${path}`, import.meta.url), 'utf8');
}

/** An HTTP server that a Comet library is attached to. */
export interface HttpOrigin {
  readonly origin: string;
  readonly port: number;
  readonly requests: SeenRequest[];
}

/**
 * Start one on a free port; it is closed when the test ends. Besides what the library answers it
 * has `login`, which sets a cookie, and scripts.
 *
 * @param attach - Adds a Comet library, as its manual says.
 * @param scripts - By their names below the server's path.
 */
export async function openHttpOrigin(
  t: TestContext,
  attach: (server: Server) => void,
  scripts: Readonly<Record<string, string>> = {},
): Promise<HttpOrigin> {
  const server = createServer((req, res) => answerPlainly(req, res, scripts));
  attach(server);
  const requests: SeenRequest[] = [];
  const see = ({ method = '', url = '', rawHeaders, headers }: IncomingMessage) => {
    requests.push({ method, url, rawHeaders: [...rawHeaders], headers });
  };
  // Libraries put themselves before the listeners that they find: what sees all must come later.
  server.prependListener('request', see);
  server.prependListener('upgrade', see);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://${ORIGIN_HOST}:${port}`, port, requests };
}

/** Each text once, sorted. */
export function distinct(texts: Iterable<string>): string[] {
  return [...new Set(texts)].sort();
}

function answerPlainly(
  req: IncomingMessage,
  res: ServerResponse,
  scripts: Readonly<Record<string, string>>,
): void {
  const name = req.url?.startsWith(ORIGIN_PATH) ? req.url.slice(ORIGIN_PATH.length) : '';
  const script = scripts[name];
  if (name === 'login') res.writeHead(204, { 'set-cookie': ORIGIN_SET_COOKIE }).end();
  else if (script) res.writeHead(200, { 'content-type': 'text/javascript' }).end(script);
  else res.writeHead(404).end();
}
