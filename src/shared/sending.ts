import type { ServerResponse } from 'node:http';
import { http2StreamOf, truncate } from './truncate.ts';

/**
 * From now on the client must read something of what waits for it every `timeoutMs`, or its
 * connection ends. Node's own timeout counts every byte that the peer takes, and for HTTP/1 takes
 * itself back when the answer is read.
 */
export function limitSending(res: ServerResponse, timeoutMs: number): void {
  const stream = http2StreamOf(res);
  if (stream) stream.setTimeout(timeoutMs, () => truncate(res));
  else res.socket?.setTimeout(timeoutMs);
}

/** The client has read everything. */
export function releaseSending(res: ServerResponse): void {
  const stream = http2StreamOf(res);
  if (stream) stream.setTimeout(0);
  else res.socket?.setTimeout(0);
}
