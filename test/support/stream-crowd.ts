import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

/** One stream of a crowd: what it asks for. */
export interface Wish {
  readonly transport: 'sse' | 'stream';
  readonly urls: readonly string[];
}

/** What was told to one stream of one URL. */
export interface Told {
  readonly stream: number;
  readonly url: string;
  /** Names of events, in order. */
  readonly events: readonly string[];
  /** When the last one came. */
  readonly lastAt: number;
}

/** Many streams, read as cheaply as Node can. */
export interface StreamCrowd {
  /** Resolves when the head of each answer is there. */
  readonly opened: Promise<void>;
  /** Of each stream and each of its URLs. */
  readonly told: readonly Told[];
  /** Streams that have ended, in whatever way. */
  readonly ended: number;
  close(): void;
}

/** So many connections at once are a queue that every server takes. */
const AT_ONCE = 100;

/** Open a connection for each stream. */
export function openCrowd(port: number, wishes: readonly Wish[], now: () => number): StreamCrowd {
  const told: Told[] = [];
  const sockets: Socket[] = [];
  let ended = 0;

  async function open({ transport, urls }: Wish, stream: number): Promise<void> {
    const places = new Map(
      urls.map((url) => [url, { stream, url, events: [] as string[], lastAt: Number.NaN }]),
    );
    told.push(...places.values());
    const query = urls.map((url) => `url=${encodeURIComponent(url)}`).join('&');
    const socket = connect({ port, host: '127.0.0.1' });
    sockets.push(socket);
    socket.write(`GET /_comet/${transport}?${query} HTTP/1.1\r\nHost: site.test\r\n\r\n`);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      ended += 1;
    });
    let rest = '';
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('latin1')).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const envelope = readEnvelope(line);
        const place = places.get(envelope?.url ?? '');
        if (!envelope || !place) continue;
        place.events.push(envelope.event);
        place.lastAt = now();
      }
    });
    await Promise.race([once(socket, 'data'), once(socket, 'close')]);
  }

  async function openAll(): Promise<void> {
    for (let first = 0; first < wishes.length; first += AT_ONCE) {
      const some = wishes.slice(first, first + AT_ONCE);
      await Promise.all(some.map((wish, index) => open(wish, first + index)));
    }
  }

  return {
    opened: openAll(),
    told,
    get ended() {
      return ended;
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** An envelope stands in a line of its own, whatever the transport: alone, or as `data`. */
function readEnvelope(line: string): { url: string; event: string } | undefined {
  const json = line.startsWith('data: ') ? line.slice('data: '.length) : line;
  return json.startsWith('{"url"')
    ? (JSON.parse(json) as ReturnType<typeof readEnvelope>)
    : undefined;
}
