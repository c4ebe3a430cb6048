import { once } from 'node:events';
import { connect } from 'node:net';

/** Streams that keep channels polled. */
export interface OpenChannels {
  /** Channels whose state has arrived. */
  readonly known: number;
  close(): void;
}

/** URLs of one stream: few streams, and no request head that would be a test of its own. */
export const URLS_PER_STREAM = 200;

/** What the config needs so that so many channels may be polled once a second. */
export function limitsFor(channels: number, maxConcurrent: number): Record<string, unknown> {
  return {
    channels: 2 * channels,
    channelsPerAddress: 2 * channels,
    channelsPerEndpoint: 2 * channels,
    queriesPerEndpoint: 2 * channels,
    polls: maxConcurrent,
    pollsPerSecond: 2 * channels,
    urlsPerStream: URLS_PER_STREAM,
    headerBytes: '64KiB',
    urlBytes: '32KiB',
  };
}

/** Subscribe to the channels `/<key>/0` and on, over streams of many URLs. */
export function openChannels(port: number, key: string, channels: number): OpenChannels {
  const MARK = '"event":"snapshot"';
  let known = 0;
  const sockets = Array.from({ length: Math.ceil(channels / URLS_PER_STREAM) }, (_, stream) => {
    const first = stream * URLS_PER_STREAM;
    const urls = Array.from(
      { length: Math.min(URLS_PER_STREAM, channels - first) },
      (_, index) => `url=/${key}/${first + index}`,
    );
    const socket = connect(port, '127.0.0.1');
    let rest = '';
    socket.write(
      `GET /_comet/stream?${urls.join('&')} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`,
    );
    socket.on('data', (chunk) => {
      const text = rest + chunk.toString('latin1');
      for (let at = text.indexOf(MARK); at !== -1; at = text.indexOf(MARK, at + 1)) known += 1;
      rest = text.slice(-MARK.length + 1);
    });
    once(socket, 'error').then(([error]) => {
      console.error(error);
      process.exit(1);
    });
    return socket;
  });
  return {
    get known() {
      return known;
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
