import { on, once } from 'node:events';
import { WebSocket } from 'ws';
import type { Item } from './received.ts';
import { itemOf, RefusedError } from './received.ts';

/** What a WebSocket is opened with. */
export interface SocketOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Accept any certificate. */
  readonly insecure: boolean;
}

/** Read the messages of `/_comet/ws`. @throws as `open`. */
export async function* openSocket(
  url: string,
  { headers, insecure }: SocketOptions,
): AsyncGenerator<Item> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), {
    headers: { ...headers },
    rejectUnauthorized: !insecure,
  });
  const refused = new Promise<never>((_resolve, reject) => {
    socket.once('unexpected-response', (_req, res) => {
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      res.once('close', () => reject(new RefusedError(res.statusCode ?? 0, text.trim())));
    });
  });
  refused.catch(() => undefined);
  // Before the handshake is over: its first messages come in the same packet.
  const messages = on(socket, 'message', { close: ['close'] });
  try {
    await Promise.race([once(socket, 'open'), refused]);
    for await (const [data] of messages) yield itemOf(String(data));
  } finally {
    socket.on('error', () => undefined);
    socket.terminate();
  }
}
