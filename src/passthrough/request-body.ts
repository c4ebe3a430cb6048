import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../shared/clock.ts';
import { ProxyError } from '../shared/errors.ts';
import { headerValue } from '../shared/raw-headers.ts';

/** Longest time for which what nobody wants any more is read, so that the answer arrives. */
const LINGER_MS = 30_000;

/**
 * The body of a request, for an upstream that is ready for it.
 *
 * A client that waits for `100 Continue` gets it now and not before, so that whatever was refused
 * until now was refused without the body. Nothing is read before the first chunk is asked for: a
 * request that reached no upstream can be sent to another one.
 *
 * @param timeoutMs - Longest silence of the client; then it throws `REQUEST_TIMEOUT`. How long the
 *   upstream takes to accept a chunk does not count.
 */
export async function* requestBody(
  req: IncomingMessage,
  res: ServerResponse,
  clock: Clock,
  timeoutMs: number,
): AsyncGenerator<Buffer> {
  if (headerValue(req.rawHeaders, 'expect') !== undefined && req.httpVersion !== '1.0') {
    res.writeContinue();
  }
  try {
    while (!req.readableEnded) {
      const chunk = req.read() as Buffer | null;
      if (chunk) yield chunk;
      else await readable(req, clock, timeoutMs);
    }
  } finally {
    discardRest(req, res, clock);
  }
}

/** Wait for something to read, or for the end. */
function readable(req: IncomingMessage, clock: Clock, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      timer.cancel();
      req.off('readable', onReadable).off('end', onReadable).off('close', onClose);
      if (error) reject(error);
      else resolve();
    };
    const onReadable = () => settle();
    const onClose = () =>
      settle(req.complete ? undefined : new ProxyError('UPSTREAM_RESET', 'the client left'));
    const timer = clock.after(timeoutMs, () => settle(new ProxyError('REQUEST_TIMEOUT')));
    req.on('readable', onReadable).on('end', onReadable).on('close', onClose);
    if (req.destroyed) onClose();
  });
}

/**
 * Read and drop what is left of a request body: a connection that is closed with something unread
 * resets, and the client might never see its answer.
 */
export function discardRest(req: IncomingMessage, res: ServerResponse, clock: Clock): void {
  if (req.readableEnded || req.destroyed) return;
  req.resume();
  const timer = clock.after(LINGER_MS, () => {
    if (res.writableEnded) req.destroy();
  });
  req.once('close', () => timer.cancel());
}
