// The least that a Node server can do to push: no polling, no channels, no resuming.
import { createServer } from 'node:http';

const [how, interval, bytes] = process.argv.slice(2);
const streams = new Set();
let count = 0;

const server = createServer((_req, res) => {
  res.writeHead(200, { 'content-type': 'text/event-stream' });
  res.flushHeaders();
  streams.add(res);
  res.on('close', () => streams.delete(res));
});

setInterval(() => {
  count += 1;
  const text = JSON.stringify({ at: Date.now(), text: 'x'.repeat(Number(bytes) - 30) });
  const message = `id: floor-${count}\ndata: ${text}\n\n`;
  const frame = Buffer.from(`${message.length.toString(16)}\r\n${message}\r\n`);
  for (const res of streams) {
    if (how === 'socket') res.socket.write(frame);
    else res.write(message);
  }
}, Number(interval));

server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
