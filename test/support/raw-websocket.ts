import { createHash } from 'node:crypto';
import { get } from './raw-answer.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** What a WebSocket client needs in its request. */
export const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${KEY}`,
];

/** What the site has to answer to that key. */
export const ACCEPT = createHash('sha1')
  .update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest('base64');

/** The head of the site's consent, with further header lines. */
export function switching(...lines: string[]): string {
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${ACCEPT}`,
    ...lines,
    '',
    '',
  ].join('\r\n');
}

/** A handshake request, with further header lines. */
export function upgrade(target = '/ws', ...lines: string[]): string {
  return get(target, ...HANDSHAKE, ...lines);
}
