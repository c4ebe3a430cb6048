import { randomBytes } from 'node:crypto';
import { ProxyError } from '../shared/errors.ts';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValues, listItems } from '../shared/raw-headers.ts';

/** What one proxy calls itself in `Via`: two in a row are not taken for one (RFC 9110 §7.6.3). */
export function pseudonymOf(): string {
  return `comet-proxy-${randomBytes(4).toString('hex')}`;
}

/** @throws {ProxyError} `LOOP_DETECTED` when a request has been here before. */
export function detectLoop(headers: RawHeaders, pseudonym: string): void {
  const lines = headerValues(headers, 'via');
  if (lines.length === 0) return;
  const hops = lines.flatMap(listItems);
  const isLoop = hops.some((hop) => hop.split(/\s+/)[1] === pseudonym);
  if (isLoop) throw new ProxyError('LOOP_DETECTED');
}
