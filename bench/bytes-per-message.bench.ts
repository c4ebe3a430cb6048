import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { startProxy } from './processes.ts';

/*
 * What one change costs on the wire by each transport: bytes of TCP payload in both directions, for
 * a document of 100 bytes and, to show what compression is for, one of 2,000. Nothing is timed.
 */
const CHANGES = 20;
const SIZES = [100, 2_000];
/** What Chromium sends beside the request line, the host and what the transport needs. */
const BROWSER_HEADERS = `Connection: keep-alive\r
sec-ch-ua-platform: "Linux"\r
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36\r
sec-ch-ua: "Chromium";v="156", "Not)A;Brand";v="8"\r
sec-ch-ua-mobile: ?0\r
Accept: */*\r
Accept-Language: en-US,en;q=0.9\r
Cookie: SESSION=0123456789abcdef0123456789abcdef\r
`;

interface Way {
  readonly name: string;
  /** Request target for a document's path. */
  target(path: string): string;
  readonly headers?: string;
  readonly isLongPoll?: boolean;
}

const surface = (transport: string, more = '') => ({
  target: (path: string) => `/_comet/${transport}?url=${encodeURIComponent(path)}${more}`,
});
const GZIP = 'Accept-Encoding: gzip\r\n';
const UPGRADE =
  'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

const WAYS: readonly Way[] = [
  { name: 'sse, own URL', target: (path) => path, headers: 'Accept: text/event-stream\r\n' },
  {
    name: 'sse, own URL, gzip',
    target: (path) => path,
    headers: `Accept: text/event-stream\r\n${GZIP}`,
  },
  { name: 'sse', ...surface('sse') },
  { name: 'sse, gzip', ...surface('sse'), headers: GZIP },
  { name: 'ws, own URL', target: (path) => path, headers: UPGRADE },
  { name: 'ws', ...surface('ws'), headers: UPGRADE },
  {
    name: 'ws, permessage-deflate',
    ...surface('ws'),
    headers: `${UPGRADE}Sec-WebSocket-Extensions: permessage-deflate\r\n`,
  },
  { name: 'stream', ...surface('stream') },
  { name: 'stream, gzip', ...surface('stream'), headers: GZIP },
  { name: 'multipart (x-mixed-replace)', ...surface('multipart') },
  { name: 'multipart, type=mixed', ...surface('multipart', '&type=mixed') },
  { name: 'iframe', ...surface('iframe') },
  { name: 'iframe, gzip', ...surface('iframe'), headers: GZIP },
  { name: 'poll', ...surface('poll'), isLongPoll: true },
  { name: 'jsonp', ...surface('jsonp', '&callback=got'), isLongPoll: true },
  {
    name: 'own URL, Prefer: wait',
    target: (path) => path,
    headers: 'Prefer: wait=25\r\n',
    isLongPoll: true,
  },
];

/** Measure each transport, and print a table. */
export async function run(): Promise<void> {
  let version = 100_000;
  const upstream = createServer((req, res) => {
    const size = Number(req.url?.slice(1));
    res.setHeader('content-type', 'application/json').end(documentOf(version, size));
  });
  upstream.listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const transports = ['sse', 'ws', 'stream', 'multipart', 'poll', 'jsonp', 'iframe'];
  const endpoint = { every: '50ms', vary: [], transports };
  const { process: proxy, port } = await startProxy({
    site: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    live: Object.fromEntries(SIZES.map((size) => [`/${size}`, endpoint])),
    webSocketCompression: true,
  });
  try {
    const rows: { name: string; bytes: string[] }[] = WAYS.map(({ name }) => ({ name, bytes: [] }));
    for (const size of SIZES) {
      const change = async () => {
        version += 1;
        await watcher.sees(String(version));
      };
      const watcher = openWay(port, { name: 'watcher', ...surface('stream') }, `/${size}`);
      await watcher.sees(String(version));
      for (const [index, way] of WAYS.entries()) {
        const measured = openWay(port, way, `/${size}`);
        await measured.isQuiet();
        const before = measured.bytes();
        for (let i = 0; i < CHANGES; i++) {
          await change();
          await measured.isQuiet();
        }
        rows[index]?.bytes.push(String(Math.round((measured.bytes() - before) / CHANGES)));
        measured.close();
      }
      watcher.close();
    }
    console.log(`bytes per message, both directions, mean of ${CHANGES}`);
    console.log(`${''.padEnd(30)}${SIZES.map((size) => `${size} B`.padStart(10)).join('')}`);
    for (const { name, bytes } of rows) {
      console.log(`${name.padEnd(30)}${bytes.map((count) => count.padStart(10)).join('')}`);
    }
  } finally {
    proxy.kill('SIGKILL');
    upstream.closeAllConnections();
    upstream.close();
  }
}

/** JSON of exactly so many bytes, of words that are as alike as those of a status page are. */
function documentOf(version: number, size: number): string {
  const start = `{"version":${version},"rows":"`;
  let rows = '';
  for (let i = 0; rows.length < size; i++) rows += `worker-${i} idle ${(i * 7919) % 1_000} ms; `;
  return `${start}${rows.slice(0, size - start.length - 2)}"}`;
}

/** Open a connection that is written and read byte for byte. */
function openWay(port: number, way: Way, path: string) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  let lastByteAt = performance.now();
  const request = (target: string, condition = '') => {
    const connection = way.headers?.includes('Upgrade:') ? 'Connection: Upgrade\r\n' : '';
    const browser = connection ? BROWSER_HEADERS.replace(/^Connection.*\n/, '') : BROWSER_HEADERS;
    const referer = `Referer: http://127.0.0.1:${port}/\r\n`;
    const head = `${browser}${connection}${way.headers ?? ''}${condition}${referer}`;
    socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${head}\r\n`);
  };
  socket.on('data', (bytes) => {
    lastByteAt = performance.now();
    text += bytes.toString('latin1');
    if (!way.isLongPoll) return;
    const [head = '', body] = text.split('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
    if (body === undefined || body.length < length) return;
    const ids = [...body.matchAll(/\\?"id\\?":\\?"([^"\\]+)/g)];
    const etag = /^etag: (.*)\r$/im.exec(head)?.[1];
    text = '';
    if (etag === undefined) request(`${way.target(path)}&since=${ids.at(-1)?.[1] ?? ''}`);
    else request(way.target(path), `If-None-Match: ${etag}\r\n`);
  });
  request(way.target(path));
  return {
    bytes: () => socket.bytesRead + socket.bytesWritten,
    close: () => void socket.destroy(),
    async sees(wanted: string): Promise<void> {
      while (!text.includes(wanted)) await once(socket, 'data');
      text = '';
    },
    /** Nothing more comes for a while: what was told is all here. */
    async isQuiet(): Promise<void> {
      await waitForFirst(socket);
      while (performance.now() - lastByteAt < 120) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

async function waitForFirst(socket: Socket): Promise<void> {
  if (socket.bytesRead === 0) await once(socket, 'data');
}
