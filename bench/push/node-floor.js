// The least that a Node server can do to push: no polling, no channels, no resuming.
import { createServer } from 'node:http';

const [how, interval, bytes] = process.argv.slice(2);
const streams = new Set();
let count = 0;
let message = '';
let frame = Buffer.alloc(0);

const server = createServer((_req, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.write(message);
  streams.add(res);
  res.on('close', () => streams.delete(res));
});

function change() {
  count += 1;
  const start = `{"at":"@${process.hrtime.bigint()}@","text":"`;
  const text = `${start}${'x'.repeat(Number(bytes) - start.length - 2)}"}`;
  message = `id: 0123456789abcdef-${count}\ndata: ${text}\n\n`;
  frame = Buffer.from(`${message.length.toString(16)}\r\n${message}\r\n`);
}

change();
setInterval(() => {
  change();
  for (const res of streams) {
    if (how === 'socket') res.socket.write(frame);
    else res.write(message);
  }
}, Number(interval));

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
