import type { Seen } from './seen.ts';
import { pageOf, senderOf } from './seen.ts';
import { kindOf } from './seen-kind.ts';

/** Read one line of the proxy's own access log (`"access": "json"`); `undefined` when it is none. */
export function readJsonLogLine(line: string): Seen | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const entry = { ...(value as Record<string, unknown> | null) };
  const { time, address, method, url, status, bytes, ms, referer, userAgent, msg } = entry;
  const isRequest =
    msg === 'request' &&
    typeof time === 'number' &&
    typeof address === 'string' &&
    typeof method === 'string' &&
    typeof url === 'string' &&
    url.startsWith('/') &&
    typeof status === 'number';
  if (!isRequest) return undefined;
  const agent = typeof userAgent === 'string' ? userAgent : undefined;
  const durationMs = typeof ms === 'number' ? ms : undefined;
  return {
    // Written when the answer was over.
    atMs: time - (durationMs ?? 0),
    resolutionMs: 1,
    client: `${address} ${agent ?? ''}`,
    host: '',
    method,
    target: url,
    status,
    durationMs,
    bytes: typeof bytes === 'number' ? bytes : undefined,
    kind: status === 101 ? 'push' : kindOf(url, undefined),
    page: pageOf(typeof referer === 'string' ? referer : undefined),
    sender: senderOf(agent),
  };
}
