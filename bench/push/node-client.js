// The client of native/client.c, in Node: for machines without a compiler, and for TLS. Streams only.
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

const [port, connections, atOnce, mode, endpoints, security] = process.argv.slice(2);
const total = Number(connections);
const AT = '@'.charCodeAt(0);
let changes = new Map();
let messages = 0;
let opened = 0;
let ready = 0;
let pending = 0;
let nextToOpen = 0;
let isTold = false;
const isDown = new Set(Array.from({ length: total }, (_, index) => index));
let request = '';

const now = () => process.hrtime.bigint();

function open(index) {
  isDown.delete(index);
  pending += 1;
  opened += 1;
  let isReady = false;
  let isInMark = false;
  let digits = '';
  const options = { port: Number(port), host: '127.0.0.1', rejectUnauthorized: false };
  const socket = security === 'tls' ? connectTls(options) : connect(options);
  socket.write(request.replace('{n}', String(index % Number(endpoints))));
  socket.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  socket.on('close', () => {
    isDown.add(index);
    if (isReady) ready -= 1;
    else pending -= 1;
    if (!isTold) open(index);
    if (isTold) console.log(`lost ${isDown.size}`);
  });
  socket.on('data', (bytes) => {
    for (let at = 0; at < bytes.length; at++) {
      if (!isInMark) {
        at = bytes.indexOf(AT, at);
        if (at === -1) return;
        isInMark = true;
        digits = '';
      } else if (bytes[at] !== AT) {
        digits += String.fromCharCode(bytes[at]);
      } else {
        isInMark = false;
        take(digits);
      }
    }
  });

  function take(mark) {
    const change = changes.get(mark) ?? { count: 0, lastAt: 0n };
    changes.set(mark, change);
    change.count += 1;
    change.lastAt = now();
    messages += 1;
    if (isReady) return;
    isReady = true;
    pending -= 1;
    ready += 1;
    openMore();
    if (ready < total || isTold) return;
    isTold = true;
    console.log(`ready ${now()}`);
  }
}

function openMore() {
  while (pending < Number(atOnce) && nextToOpen < total) {
    if (isDown.has(nextToOpen)) open(nextToOpen);
    nextToOpen += 1;
  }
}

const commands = {
  reset() {
    changes = new Map();
    messages = 0;
    opened = 0;
  },
  count: () => console.log(`count ${messages} ${opened}`),
  report() {
    for (const [mark, { count, lastAt }] of changes) {
      console.log(`change ${mark} ${count} ${lastAt}`);
    }
    console.log('end');
  },
  reconnect() {
    nextToOpen = 0;
    isTold = false;
    openMore();
  },
};

// First the two requests, each behind a line with its length; then a command a line.
let text = '';
const requests = [];
process.stdin.on('data', (bytes) => {
  text += bytes.toString('latin1');
  for (;;) {
    const end = text.indexOf('\n');
    if (end === -1) return;
    const line = text.slice(0, end);
    const rest = text.slice(end + 1);
    if (requests.length === 2) {
      text = rest;
      commands[line]?.();
    } else {
      if (rest.length < Number(line)) return;
      requests.push(rest.slice(0, Number(line)));
      text = rest.slice(Number(line));
      if (requests.length < 2) continue;
      if (mode !== 'stream') process.exit(64);
      request = requests[0];
      openMore();
    }
  }
});
process.stdin.on('end', () => process.exit(0));
