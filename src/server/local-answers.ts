import type { IncomingMessage, ServerResponse } from 'node:http';
import { asProxyError } from '../shared/errors.ts';
import { headerValues } from '../shared/raw-headers.ts';
import { guardRequest, isAsterisk } from './guard.ts';
import { isRead, PASSED_ON, respondWithError } from './respond.ts';

/**
 * Answer what is asked of this server itself: `OPTIONS *`, and `OPTIONS` that may go no further
 * (RFC 9110 §7.6.2).
 *
 * @returns True when it is answered.
 */
export function answerLocally(req: IncomingMessage, res: ServerResponse): boolean {
  if (req.method !== 'OPTIONS') return false;
  const hops = hopsLeft(req);
  if (hops !== 0 && !isAsterisk(req)) {
    if (hops !== undefined) setHops(req, hops - 1);
    return false;
  }
  try {
    guardRequest(req);
    const connection = isRead(req) ? {} : { connection: 'close' };
    res.writeHead(200, { allow: PASSED_ON, 'content-length': '0', ...connection }).end();
  } catch (error) {
    respondWithError(res, asProxyError(error, 'BAD_REQUEST'));
  }
  return true;
}

/** How many servers this request may still pass, if it says so. */
function hopsLeft(req: IncomingMessage): number | undefined {
  const [value = '', ...others] = headerValues(req.rawHeaders, 'max-forwards');
  return /^\d{1,9}$/.test(value) && others.length === 0 ? Number(value) : undefined;
}

function setHops({ rawHeaders }: IncomingMessage, hops: number): void {
  const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && /^max-forwards$/i.test(name));
  rawHeaders[at + 1] = String(hops);
}
