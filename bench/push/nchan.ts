import { spawn, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, listens, stop } from './child.ts';
import type { Contender } from './contender.ts';
import { temporaryFolder } from './native.ts';
import type { Certificate } from './ours.ts';
import type { PublishTo } from './site.ts';
import { startPublisher } from './site.ts';
import type { Speech } from './subscribers.ts';

/** What Debian installs as libnginx-mod-nchan. */
const MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';

/** What to say where it is not. */
export const INSTALL = 'Nchan is not installed (apt-get install nginx libnginx-mod-nchan)';

const head = (more: string) => `GET /push/{n} HTTP/1.1\r\nHost: bench\r\n${more}\r\n`;

/** Ways to be told by Nchan, which wait for the next message and begin with the newest one. */
export const NCHAN_WAYS = {
  sse: { mode: 'stream', first: head('Accept: text/event-stream\r\n') },
  ws: {
    mode: 'stream',
    first: head(
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
    ),
  },
  poll: {
    mode: 'reply',
    first: head(''),
    next: head('If-Modified-Since: {modified}\r\nIf-None-Match: {etag}\r\n'),
  },
} as const satisfies Readonly<Record<string, Speech>>;

/** Nchan, which is told of each change by a request. */
export function nchan(way: keyof typeof NCHAN_WAYS, tls?: Certificate): Contender {
  const speech: Speech = { ...NCHAN_WAYS[way], ...(tls ? { isTls: true } : {}) };
  return {
    name: `Nchan: ${way}${tls ? ', TLS' : ''}`,
    objection: isInstalled() ? undefined : INSTALL,
    async start({ endpoints, bytes, intervalMs }) {
      const server = await startNchan({ tls });
      const places = Array.from({ length: endpoints }, (_, n) => publishTo(server.publishPort, n));
      const publisher = await startPublisher(places, { bytes, intervalMs });
      return {
        port: server.port,
        pid: server.pid,
        speech,
        made: publisher.made,
        async close() {
          publisher.close();
          await server.close();
        },
      };
    },
  };
}

/** Is it here? */
export function isInstalled(): boolean {
  return existsSync(MODULE) && spawnSync('nginx', ['-v']).status === 0;
}

/** Where an endpoint's state is published. */
export function publishTo(port: number, n: number): PublishTo {
  const contentType = 'application/json';
  return { port, path: `/publish/${n}`, contentType, body: (text) => text };
}

/** A running nginx. */
export interface NchanServer {
  readonly port: number;
  readonly publishPort: number;
  readonly pid: number;
  close(): Promise<void>;
}

/** Start nginx with Nchan and one worker. @param ports - Of a server that it replaces. */
export async function startNchan(
  options: { tls?: Certificate | undefined; ports?: readonly number[] } = {},
): Promise<NchanServer> {
  const folder = temporaryFolder('bench-nchan-');
  const [port = 0, publishPort = 0] = options.ports ?? (await freePorts(2));
  writeFileSync(join(folder, 'nginx.conf'), configOf(port, publishPort, options.tls));
  const child = spawn('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await listens(child, publishPort, () => said);
  const pid = child.pid ?? 0;
  // By SIGKILL the worker would stay behind.
  return { port, publishPort, pid, close: () => stop(child, 'SIGTERM') };
}

function configOf(port: number, publishPort: number, tls: Certificate | undefined): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const secure = tls ? `ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};` : '';
  return `
    load_module ${MODULE};
    daemon off;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    worker_processes 1;
    worker_rlimit_nofile 20000;
    pid nginx.pid;
    error_log stderr error;
    events { worker_connections 19000; }
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${name};`).join(' ')}
      keepalive_requests 1000000000;
      nchan_shared_memory_size 256M;
      server {
        listen 127.0.0.1:${port} backlog=4096 ${tls ? 'ssl' : ''};
        ${secure}
        location ~ ^/push/(\\d+)$ {
          nchan_subscriber;
          nchan_channel_id $1;
          nchan_subscriber_first_message -1;
        }
      }
      server {
        listen 127.0.0.1:${publishPort};
        location ~ ^/publish/(\\d+)$ { nchan_publisher; nchan_channel_id $1; }
      }
    }
  `;
}
