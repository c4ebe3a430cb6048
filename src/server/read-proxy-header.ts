import type { Socket } from 'node:net';
import type { ProxiedClient } from './proxy-header.ts';
import { MAX_PROXY_HEADER_BYTES, parseProxyHeader } from './proxy-header.ts';

/** A proxy sends its header at once. */
export const PROXY_HEADER_TIMEOUT_MS = 3_000;

/** What is heard of a connection that begins with a PROXY protocol header. Exactly one is called. */
export interface ProxyHeaderHooks {
  /** What follows the header waits in the socket. `undefined`: the peer speaks for itself. */
  readonly onHeader: (client: ProxiedClient | undefined) => void;
  /** The socket is destroyed. */
  readonly onFailure: (reason: string) => void;
}

/** Read the PROXY protocol header of a connection, which nobody has read from yet. */
export function readProxyHeader(
  socket: Socket,
  { onHeader, onFailure }: ProxyHeaderHooks,
  timeoutMs: number = PROXY_HEADER_TIMEOUT_MS,
): void {
  let received: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => fail('it sent no PROXY protocol header in time'), timeoutMs);
  const onReadable = () => {
    for (let chunk = read(); chunk; chunk = read()) {
      received = Buffer.concat([received, chunk]);
      const header = parseProxyHeader(received);
      if (header.kind === 'malformed') return fail('it sent no valid PROXY protocol header');
      // SECURITY: whoever sends byte by byte gets neither more time nor more room.
      if (header.kind === 'incomplete' && received.length < MAX_PROXY_HEADER_BYTES) continue;
      if (header.kind === 'incomplete') return fail('its PROXY protocol header is too long');
      stop();
      if (received.length > header.length) socket.unshift(received.subarray(header.length));
      return onHeader(header.client);
    }
  };
  const onClose = () => fail('it left before its PROXY protocol header was whole');

  function read(): Buffer | null {
    return socket.read() as Buffer | null;
  }
  function stop(): void {
    clearTimeout(timer);
    socket.off('readable', onReadable).off('end', onClose).off('close', onClose);
  }
  function fail(reason: string): void {
    stop();
    socket.destroy();
    onFailure(reason);
  }

  socket.on('readable', onReadable).on('end', onClose).on('close', onClose);
}
