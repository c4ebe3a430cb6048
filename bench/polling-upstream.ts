// The polled site: a bare socket, so that it never is what is waited for. It notes when each channel
// is polled, and tells it when it is asked to.
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { Case } from './polling-cases.ts';
import { CASES, CHANGING_DIGITS } from './polling-cases.ts';

/** What was seen since the question before. */
export interface Seen {
  readonly polls: number;
  /** From one poll of a channel to its next, in order of length. */
  readonly gapsMs: readonly number[];
}

const answers = new Map(CASES.map((known) => [known.key, known]));
let version = 0;
let polls = 0;
let gapsMs: number[] = [];
let polledAt = new Map<string, number>();

const server = createServer({ noDelay: true }, (socket) => {
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    if (!text.endsWith('\r\n\r\n')) return;
    const path = text.slice(4, text.indexOf(' ', 4));
    const isConditional = text.includes('\r\nif-none-match: ');
    text = '';
    note(path);
    const known = answers.get(path.slice(1, path.indexOf('/', 1)));
    if (!known) return socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    socket.write(isConditional ? known.next : firstOf(known));
  });
});

function firstOf({ first, changesAt }: Case): Buffer {
  if (changesAt === undefined) return first;
  version += 1;
  const another = Buffer.from(first);
  another.write(String(version).padStart(CHANGING_DIGITS, '0'), changesAt, 'latin1');
  return another;
}

function note(path: string): void {
  const now = performance.now();
  const before = polledAt.get(path);
  polledAt.set(path, now);
  polls += 1;
  if (before !== undefined) gapsMs.push(now - before);
}

process.on('message', (question: 'begin' | 'tell') => {
  if (question === 'tell') {
    process.send?.({ polls, gapsMs: gapsMs.toSorted((a, b) => a - b) } satisfies Seen);
    polledAt = new Map();
  }
  polls = 0;
  gapsMs = [];
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  process.send?.((server.address() as AddressInfo).port);
});
