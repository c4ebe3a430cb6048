import assert from 'node:assert/strict';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import type { StreamFraming } from '../../src/transport/framing.ts';
import { HttpConnection } from '../../src/transport/http-connection.ts';
import { Unread } from '../../src/transport/unread.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';
import { OPTIONS } from './framings.ts';

export const HEARTBEAT_MS = 15_000;
export const STALL_MS = 120_000;

/** The other end of a stream, byte for byte. */
export interface RawPeer {
  readonly head: string;
  /** Everything after the head, with the chunk headers. */
  readonly body: string;
  readonly isClosed: boolean;
  write(text: string): void;
  pause(): void;
  resume(): void;
  destroy(): void;
}

/** A stream and its peer. */
export interface OpenConnection {
  readonly connection: HttpConnection;
  readonly peer: RawPeer;
  readonly clock: FakeClock;
  /** How often the stream said that it has drained, and that it is over. */
  readonly calls: { drain: number; close: number };
  /** Targets that the server was asked for. */
  readonly requests: readonly unknown[];
  /** The server's ends of open connections. */
  readonly serverSockets: ReadonlySet<unknown>;
}

export interface RawOptions {
  readonly framing: StreamFraming;
  readonly gzip?: boolean;
  readonly maxBytes?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly version?: '1.0' | '1.1';
  readonly paddingBytes?: number;
  /** Real milliseconds: the socket's own timeout measures them. */
  readonly stallMs?: number;
}

/** Open a stream over a real socket. All is closed when the test ends. */
export async function openConnection(t: TestContext, options: RawOptions): Promise<OpenConnection> {
  const clock = createFakeClock();
  const calls = { drain: 0, close: 0 };
  let connection: HttpConnection | undefined;
  const upstream = await startUpstream(t, (req, res) => {
    if (req.url !== '/') return void res.end();
    assert.ok(res.socket);
    connection = new HttpConnection(res, res.socket, options.framing, {
      clock,
      framing: { ...OPTIONS, paddingBytes: options.paddingBytes ?? 0 },
      gzip: options.gzip ?? false,
      maxBytes: options.maxBytes,
      headers: options.headers ?? {},
      heartbeatMs: HEARTBEAT_MS,
      stallMs: options.stallMs ?? STALL_MS,
      unread: new Unread(),
      onDrain: () => {
        calls.drain += 1;
      },
      onClose: () => {
        calls.close += 1;
      },
    });
  });
  const peer = openPeer(t, upstream.port);
  peer.write(`GET / HTTP/${options.version ?? '1.1'}\r\nHost: x\r\n\r\n`);
  await until(() => connection !== undefined);
  assert.ok(connection);
  const { requests, sockets: serverSockets } = upstream;
  return { connection, peer, clock, calls, requests, serverSockets };
}

function openPeer(t: TestContext, port: number): RawPeer {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  let received = '';
  let isClosed = false;
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
  });
  socket.on('error', () => undefined);
  socket.once('close', () => {
    isClosed = true;
  });
  const split = () => {
    const end = received.indexOf('\r\n\r\n');
    return end === -1 ? [received, ''] : [received.slice(0, end + 2), received.slice(end + 4)];
  };
  return {
    get head() {
      return split()[0] ?? '';
    },
    get body() {
      return split()[1] ?? '';
    },
    get isClosed() {
      return isClosed;
    },
    write: (text) => void socket.write(text),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    destroy: () => void socket.destroy(),
  };
}
