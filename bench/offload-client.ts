// So many open pages: each polls the status once a second as a browser does, or is told it by
// server-sent events. Notes when each of them had each version first.
import { connect } from 'node:net';
import { readMessage } from './read-message.ts';

/** What the pages are to do. */
export interface Pages {
  readonly port: number;
  readonly path: string;
  readonly count: number;
  readonly isPushed: boolean;
}

/** When a page had a version that it had not had before, in ms since the epoch. */
export type Sight = readonly [version: number, at: number];

const INTERVAL_MS = 1_000;
const VERSION = /"version":(\d+)/g;
let sights: Sight[] = [];
let close: () => void = () => undefined;

process.on('message', (order: Pages | 'begin' | 'tell' | 'close') => {
  if (order === 'begin') sights = [];
  else if (order === 'tell') process.send?.(sights);
  else if (order === 'close') close();
  else close = open(order);
});

function open({ port, path, count, isPushed }: Pages): () => void {
  let ready = 0;
  let isOver = false;
  const timers: NodeJS.Timeout[] = [];
  const sockets = Array.from({ length: count }, (_, page) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', fail);
    socket.on('close', () => isOver || fail(new Error(`${path}: a page lost its connection`)));
    const see = seeing(() => {
      ready += 1;
      if (ready === count) process.send?.('ready');
    });
    // A hold ends at the next request of the same browser: each page is in one of its own.
    const head = `GET ${path} HTTP/1.1\r\nHost: board.example\r\nCookie: SESSION=${page}\r\n`;
    if (isPushed) {
      socket.write(`${head}Accept: text/event-stream\r\n\r\n`);
      socket.setEncoding('latin1').on('data', see);
      return socket;
    }
    // Pages have been opened at any time.
    timers[page] = setTimeout(ask, Math.random() * INTERVAL_MS);
    let text = '';
    let condition = '';
    function ask() {
      socket.write(`${head}${condition}\r\n`);
    }
    socket.setEncoding('latin1').on('data', (chunk) => {
      text += chunk;
      const answer = readMessage(text);
      if (!answer) return;
      if (!/^HTTP\/1.1 (200|304) /.test(answer.start)) fail(new Error(`${path}: ${answer.start}`));
      const tag = /\r\netag: *(\S+)/i.exec(text)?.[1];
      if (tag !== undefined) condition = `If-None-Match: ${tag}\r\n`;
      text = '';
      see(answer.body);
      timers[page] = setTimeout(ask, INTERVAL_MS);
    });
    return socket;
  });
  return () => {
    isOver = true;
    for (const timer of timers) clearTimeout(timer);
    for (const socket of sockets) socket.destroy();
  };
}

/** What one page makes of the text that it gets: a newer version stands for all before it. */
function seeing(onFirst: () => void): (text: string) => void {
  let known: number | undefined;
  return (text) => {
    for (const [, digits] of text.matchAll(VERSION)) {
      const version = Number(digits);
      const at = Date.now();
      if (known === undefined) onFirst();
      for (let seen = (known ?? version) + 1; seen <= version; seen++) sights.push([seen, at]);
      known = Math.max(known ?? 0, version);
    }
  };
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}
