import type { IncomingMessage } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';

/** A network that counts what goes over it, and can lose its streams. */
export interface Middle {
  readonly url: string;
  /** Paths of all requests so far, in order. */
  readonly paths: readonly string[];
  /** How many requests for a path. */
  count(path: string): number;
  /** From now on what lies below `/_comet/` is cut, and comes through again. */
  breakStreams(): void;
  mendStreams(): void;
  /** Streams that are open now. */
  readonly openStreams: number;
  /** Set where answers come through whole or not at all, and upgrades never. */
  isBuffering: boolean;
  /** Where requests go: another proxy may have taken the place of the first one. */
  port: number;
}

const isOwn = (req: IncomingMessage) => /^\/_comet\/(?!\w+(?:\.es5)?\.js)/.test(req.url ?? '');

/** Start it before a port of the loopback; closed when the test ends. */
export async function startMiddle(t: TestContext, port: number): Promise<Middle> {
  const paths: string[] = [];
  const streams = new Set<Duplex>();
  let isBroken = false;
  const note = (req: IncomingMessage) => {
    paths.push(req.url?.split('?')[0] ?? '');
    if (!isOwn(req)) return true;
    if (isBroken) req.socket.destroy();
    else streams.add(req.socket);
    req.socket.once('close', () => streams.delete(req.socket));
    return !isBroken;
  };
  const server = createServer((req, res) => {
    if (!note(req)) return;
    const { method, url: path, headers } = req;
    const onward = request({ port: middle.port, method, path, headers }, (answer) => {
      answer.on('error', () => res.destroy());
      res.on('finish', () => streams.delete(req.socket));
      const begin = () => res.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      if (!middle.isBuffering) {
        begin().flushHeaders();
        answer.pipe(res);
        return;
      }
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => begin().end(Buffer.concat(chunks)));
    });
    onward.on('error', () => res.destroy());
    res.on('close', () => onward.destroy());
    req.pipe(onward);
  });
  server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
    if (!note(req)) return;
    if (middle.isBuffering) return void socket.destroy();
    const onward = connect(middle.port, '127.0.0.1');
    for (const [from, to] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
    let text = `${req.method} ${req.url} HTTP/1.1\r\n`;
    for (let i = 0; i < req.rawHeaders.length; i += 2) {
      text += `${req.rawHeaders[i]}: ${req.rawHeaders[i + 1]}\r\n`;
    }
    onward.write(`${text}\r\n`);
    onward.write(head);
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
    for (const stream of streams) stream.destroy();
  });
  const middle: Middle = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    port,
    isBuffering: false,
    get openStreams() {
      return streams.size;
    },
    count: (path) => paths.filter((seen) => seen === path).length,
    breakStreams() {
      isBroken = true;
      for (const stream of streams) stream.destroy();
      streams.clear();
    },
    mendStreams() {
      isBroken = false;
    },
  };
  return middle;
}
