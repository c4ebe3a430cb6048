import type { IncomingMessage } from 'node:http';
import { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * A response on the connection of an upgrade, which Node hands over without one: for what is
 * answered in plain HTTP after all. The connection ends with the answer.
 */
export function socketResponse(req: IncomingMessage, socket: Socket): ServerResponse {
  const res = new ServerResponse(req);
  // Seen by whoever writes; unheard it would end the process.
  res.on('error', () => undefined);
  res.shouldKeepAlive = false;
  res.assignSocket(socket);
  socket.on('drain', () => res.emit('drain'));
  // Node has taken its own listener away.
  socket.on('timeout', () => socket.destroy());
  res.once('finish', () => {
    res.detachSocket(socket);
    socket.end();
    // Read on, or the peer's own end would not be seen.
    socket.resume();
    res.emit('close');
  });
  return res;
}
