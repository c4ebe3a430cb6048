import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { hasBody } from '../shared/raw-headers.ts';
import { refuse } from './respond.ts';
import { socketResponse } from './socket-response.ts';

/** RFC 6455 §4.1, as far as it can be checked without the answer. */
export function isWebSocket(req: IncomingMessage): boolean {
  return (
    req.method === 'GET' &&
    req.httpVersion === '1.1' &&
    !hasBody(req.rawHeaders) &&
    req.headers.upgrade?.toLowerCase() === 'websocket' &&
    req.headers['sec-websocket-version'] === '13' &&
    /^[A-Za-z0-9+/]{22}==$/.test(req.headers['sec-websocket-key'] ?? '')
  );
}

/**
 * Answer a request that offers another upgrade (h2c, TLS) as if it offered none. Node 20 hands over
 * every one of them with its parser and its listeners detached, so their work is done here.
 *
 * SECURITY: the upgrade itself never reaches the upstream (h2c smuggling).
 */
export function declineUpgrade(
  req: IncomingMessage,
  socket: Socket,
  onRequest: (req: IncomingMessage, res: ServerResponse) => void,
): void {
  // Without the parser a body could not be told from the next request.
  if (hasBody(req.rawHeaders)) return refuse(socket, 'BAD_UPGRADE');
  const res = socketResponse(req, socket);
  // A socket that nobody reads does not notice that its peer has left.
  socket.once('end', () => socket.destroy());
  socket.resume();
  onRequest(req, res);
}
