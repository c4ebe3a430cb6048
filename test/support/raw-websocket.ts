import { createHash } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { TestProxy } from './proxy.ts';
import { startTestProxy } from './proxy.ts';
import { get } from './raw-answer.ts';
import type { RawPeer } from './raw-peer.ts';
import { connectRaw } from './raw-peer.ts';
import { startRawUpstream } from './raw-upstream.ts';

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

/** Both ends of an upgrade that the site has not answered yet. */
export interface Handshake {
  readonly proxy: TestProxy;
  readonly client: RawPeer;
  readonly site: RawPeer;
}

/** Send a handshake through a proxy, until the site has read it. */
export async function beginHandshake(
  t: TestContext,
  request: string = upgrade(),
): Promise<Handshake> {
  const upstream = await startRawUpstream(t);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send(request);
  const site = await upstream.connection(0);
  await site.receive('\r\n\r\n');
  return { proxy, client, site };
}
