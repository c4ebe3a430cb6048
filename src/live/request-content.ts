import type { IncomingMessage } from 'node:http';
import type { Clock } from '../shared/clock.ts';
import { headerValue, headerValues } from '../shared/raw-headers.ts';
import type { Content } from './request-body.ts';

/** Longer bodies are no polls. */
const MAX_BYTES = 64 * 1_024;

/** A client that takes longer to send its body is left to the site. */
const MAX_WAIT_MS = 10_000;

/**
 * Look at what a request carries. It is all there again for whoever reads the request after this.
 *
 * SECURITY: `undefined`, and so the site's alone, where two servers could see different bodies: more
 * than one `Content-Type`, a coding; and where it is not known beforehand how much will come.
 */
export async function peekContent(
  req: IncomingMessage,
  clock: Clock,
): Promise<Content | undefined> {
  const { rawHeaders } = req;
  const types = headerValues(rawHeaders, 'content-type');
  if (types.length > 1) return undefined;
  const isOdd = [
    'content-encoding',
    'expect',
    'transfer-encoding',
    'trailer',
    'content-range',
    // By these some servers read another method than the one that stands there.
    'x-http-method',
    'x-http-method-override',
    'x-method-override',
  ].some((name) => headerValue(rawHeaders, name) !== undefined);
  const length = Number(headerValue(rawHeaders, 'content-length') ?? 0);
  if (isOdd || !(length <= MAX_BYTES)) return undefined;
  const bytes = length === 0 ? Buffer.alloc(0) : await peek(req, length, clock);
  return bytes && { type: types[0], bytes };
}

/** The first bytes of a request's body, which stay there to be read. */
function peek(req: IncomingMessage, length: number, clock: Clock): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const timer = clock.after(MAX_WAIT_MS, () => finish());
    function finish(): void {
      timer.cancel();
      req.off('readable', onReadable).off('close', finish).off('error', finish);
      const read = Buffer.concat(chunks);
      // In the same turn as the last read: later the stream would be over.
      if (bytes > 0 && !req.destroyed) req.unshift(read);
      resolve(bytes === length && !req.destroyed ? read : undefined);
    }
    function onReadable(): void {
      for (;;) {
        const chunk: Buffer | null = bytes < length ? req.read() : null;
        if (chunk === null) break;
        chunks.push(chunk);
        bytes += chunk.length;
      }
      if (bytes >= length) finish();
    }
    req.on('readable', onReadable).on('close', finish).on('error', finish);
  });
}
