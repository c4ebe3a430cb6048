import type { IncomingMessage } from 'node:http';
import { AdminError } from './admin-route.ts';

/** SECURITY: more than this nobody reads to its end, wanted or not. */
const MAX_IGNORED_BYTES = 1_024 * 1_024;

/** Read the body of a request and forget it; if it is too long, end the connection. */
export function discardBody(req: IncomingMessage): void {
  let bytes = 0;
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_IGNORED_BYTES) req.socket.destroy();
  });
}

/**
 * The body of a request. Call it in the same turn as `discardBody`, or its beginning is lost.
 *
 * @throws {AdminError} `BODY_TOO_LARGE` as soon as there are more than `maxBytes`.
 */
export function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else reject(new AdminError('BODY_TOO_LARGE'));
    });
    req.once('end', () => resolve(Buffer.concat(chunks)));
    // The client has left: nobody reads what is answered.
    req.once('close', () => reject(new AdminError('BAD_BODY')));
  });
}
