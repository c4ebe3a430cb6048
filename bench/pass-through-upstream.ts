// The site behind every contender: a bare socket, so that it never is what is waited for.
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { CASES } from './pass-through-cases.ts';
import { MessageReader } from './read-message.ts';

const WRONG = Buffer.from('HTTP/1.1 400 Wrong\r\nContent-Length: 5\r\n\r\nwrong');

const server = createServer({ noDelay: true }, (socket) => {
  const reader = new MessageReader();
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    const request = reader.add(chunk);
    if (!request) return;
    const known = CASES[request.start.split(' ')[1] ?? ''];
    socket.write(known?.requestBody === request.body ? known.answer : WRONG);
  });
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
