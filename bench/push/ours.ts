import { startProxy } from '../processes.ts';
import { stop } from './child.ts';
import type { Contender } from './contender.ts';
import { startPolledSite } from './site.ts';
import type { Speech } from './subscribers.ts';

const UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const EVENTS = 'Accept: text/event-stream\r\n';
const GZIP = 'Accept-Encoding: gzip\r\n';

/** A way to be told by the proxy, and what its config needs for it. */
export interface Way {
  readonly name: string;
  readonly speech: Speech;
  readonly endpoint?: Readonly<Record<string, unknown>>;
}

function request(target: string, headers = ''): string {
  return `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n`;
}

const stream = (target: string, headers = ''): Speech => ({
  mode: 'stream',
  first: request(target, headers),
});
const surface = (transport: string, headers = ''): Speech =>
  stream(`/_comet/${transport}?url=/push/{n}`, headers);
const compressed = (speech: Speech): Speech => ({
  mode: 'chunks',
  first: speech.first.replace(/\r\n\r\n$/, `\r\n${GZIP}\r\n`),
});

const SSE = stream('/push/{n}', EVENTS);
const JSONP = '/_comet/jsonp?url=/push/{n}&callback=got';
const REFERER = 'Referer: http://127.0.0.1/\r\n';

/** Every way, by what the tables call it. */
export const WAYS = {
  sse: { name: 'sse, own URL', speech: SSE },
  sseGzip: { name: 'sse, own URL, gzip', speech: compressed(SSE) },
  sseEnveloped: { name: 'sse', speech: surface('sse') },
  ssePatch: {
    name: 'sse, patches',
    speech: surface('sse'),
    endpoint: { patch: 'json' },
  },
  wsBare: { name: 'ws, own URL', speech: stream('/push/{n}', UPGRADE) },
  ws: { name: 'ws', speech: surface('ws', UPGRADE) },
  stream: { name: 'stream', speech: surface('stream') },
  streamGzip: { name: 'stream, gzip', speech: compressed(surface('stream')) },
  multipart: { name: 'multipart (x-mixed-replace)', speech: surface('multipart') },
  iframe: { name: 'iframe', speech: surface('iframe') },
  poll: {
    name: 'poll',
    speech: {
      mode: 'reply',
      first: request('/_comet/poll?url=/push/{n}'),
      next: request('/_comet/poll?url=/push/{n}&since={id}'),
    },
  },
  jsonp: {
    name: 'jsonp',
    speech: {
      mode: 'reply',
      first: request(JSONP, REFERER),
      next: request(`${JSONP}&since={id}`, REFERER),
    },
    endpoint: { transports: ['jsonp'] },
  },
} as const satisfies Readonly<Record<string, Way>>;

/** A certificate and its key, as paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** The proxy, with a poll that finds a change at every interval. */
export function ours(way: Way, tls?: Certificate): Contender {
  const { name, speech, endpoint } = way;
  return {
    name: `comet-proxy: ${name}${tls ? ', TLS' : ''}`,
    async start({ subscribers, endpoints, bytes, intervalMs }) {
      const site = await startPolledSite(bytes);
      const { process: proxy, port } = await startProxy({
        ...(tls ? { listen: { address: '127.0.0.1:0', tls } } : {}),
        ...configFor(site.port, { every: `${intervalMs}ms`, ...endpoint }, subscribers, endpoints),
      });
      return {
        port,
        pid: proxy.pid ?? 0,
        speech: tls ? { ...speech, isTls: true } : speech,
        made: site.made,
        async close() {
          await stop(proxy);
          site.close();
        },
      };
    },
  };
}

/** A config for so many subscribers who all have the same address. */
export function configFor(
  sitePort: number,
  endpoint: Readonly<Record<string, unknown>>,
  subscribers: number,
  channels = 1,
): Record<string, unknown> {
  const streams = subscribers + 1_000;
  return {
    site: `http://127.0.0.1:${sitePort}`,
    live: { '/push/:n': { vary: [], ...endpoint } },
    limits: {
      streamsPerAddress: streams,
      connectionsPerAddress: streams,
      channelsPerAddress: channels + 16,
      pollsPerSecond: Math.max(200, 2 * channels),
    },
  };
}
