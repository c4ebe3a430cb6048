// The site that everybody polls: a status of 1 KB that changes at random moments. It counts who asks
// for it, by path, and notes when it changed.
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

/** What was seen since `begin`. */
export interface Seen {
  /** By path. */
  readonly requests: Readonly<Record<string, number>>;
  /** Of each version since then: when it came to be, in ms since the epoch. */
  readonly changedAt: readonly (readonly [version: number, at: number])[];
}

const REST = 'worker idle; '.repeat(75);
/** From one change to the next: never a second change before most have had a chance to ask. */
const LEAST_MS = 1_500;
const MOST_MS = 4_500;

let version = 1;
let requests: Record<string, number> = {};
let changedAt: [number, number][] = [];
let timer: NodeJS.Timeout | undefined;

const server = createServer({ noDelay: true }, (socket) => {
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    if (!text.endsWith('\r\n\r\n')) return;
    const path = text.slice(4, text.indexOf(' ', 4));
    text = '';
    requests[path] = (requests[path] ?? 0) + 1;
    const body = JSON.stringify({ version, rest: REST });
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  });
});

function changeLater(): void {
  timer = setTimeout(
    () => {
      version += 1;
      changedAt.push([version, Date.now()]);
      changeLater();
    },
    LEAST_MS + Math.random() * (MOST_MS - LEAST_MS),
  );
}

process.on('message', (order: 'begin' | 'rest' | 'tell') => {
  clearTimeout(timer);
  if (order === 'tell') process.send?.({ requests, changedAt } satisfies Seen);
  if (order !== 'begin') return;
  requests = {};
  changedAt = [];
  changeLater();
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  process.send?.((server.address() as AddressInfo).port);
});
