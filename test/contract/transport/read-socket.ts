import { once } from 'node:events';
import { WebSocket } from 'ws';
import { requestOf } from './clients.ts';
import { bareTold, heardIn } from './heard.ts';
import type { Inbox, ReadOptions, Way } from './reader.ts';

/** Read the messages of a WebSocket. */
export function readSocket(inbox: Inbox, { client, origin, wanted, headers }: ReadOptions): Way {
  const { target, headers: own } = requestOf(client, origin, wanted);
  const address = new URL(target, origin.replace('http', 'ws'));
  const ws = new WebSocket(address, {
    headers: { ...own, ...headers },
    perMessageDeflate: false,
    maxPayload: 0,
  });
  let isPaused = false;

  function take(data: Buffer, isBinary: boolean): void {
    if (!client.isBare) return inbox.hear(heardIn(data.toString('utf8')));
    const told = bareTold('snapshot', data);
    const binary = { encoding: 'base64', data: data.toString('base64') } as const;
    inbox.hear({ kind: 'event', told: isBinary ? { ...told, ...binary } : told });
  }

  ws.once('open', () => {
    if (isPaused) ws.pause();
  });
  ws.on('message', (data: Buffer, isBinary) => {
    try {
      take(data, isBinary);
    } catch (error) {
      inbox.end({ error });
      ws.terminate();
    }
  });
  ws.on('ping', () => inbox.hear({ kind: 'heartbeat' }));
  ws.once('close', (closeCode) => inbox.end({ closeCode }));
  ws.on('error', (error) => inbox.end({ error }));
  ws.once('unexpected-response', (_req, res) => {
    let text = '';
    res.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    res.once('end', () => inbox.end({ status: res.statusCode ?? 0, text }));
  });
  return {
    requests: 1,
    get isOpen() {
      return ws.readyState === WebSocket.OPEN;
    },
    coding: undefined,
    wire: () => Buffer.alloc(0),
    pause() {
      isPaused = true;
      ws.pause();
    },
    resume() {
      isPaused = false;
      ws.resume();
    },
    close: () => ws.terminate(),
    say: (message) => ws.send(JSON.stringify(message)),
    async heardOut() {
      const answered = once(ws, 'pong');
      ws.ping();
      await answered;
    },
  };
}
