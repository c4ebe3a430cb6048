// Opens N event streams on a port and counts messages, as cheaply as Node can.
import { connect } from 'node:net';

const [port, subscribers] = process.argv.slice(2).map(Number);
const MARK = Buffer.from('data:');
let received = 0;
let open = 0;

function subscribe() {
  const socket = connect(port, '127.0.0.1');
  let isCounted = false;
  socket.write('GET /push HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n');
  socket.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  socket.on('data', (chunk) => {
    for (let at = chunk.indexOf(MARK); at !== -1; at = chunk.indexOf(MARK, at + 1)) received += 1;
    if (isCounted || received === 0) return;
    isCounted = true;
    open += 1;
    if (open === subscribers) process.send?.('ready');
  });
}

process.on('message', () => process.send?.(received));
for (let i = 0; i < subscribers; i++) {
  subscribe();
  // The listen queue of the server is not what is measured.
  if (i % 100 === 99) await new Promise((resolve) => setTimeout(resolve, 20));
}
