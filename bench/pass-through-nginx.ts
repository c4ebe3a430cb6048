import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from './processes.ts';

/** Is it installed? */
export function hasNginx(): boolean {
  return spawnSync('nginx', ['-v']).status === 0;
}

/** Lines of the config besides those of a plain reverse proxy. */
export interface More {
  readonly http: string;
  readonly location: string;
}

/** Start nginx as a reverse proxy with one process and kept connections on both sides. */
export async function startNginx(
  upstreamPort: number,
  more: (folder: string) => More = () => ({ http: '', location: '' }),
): Promise<Server> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, configOf(folder, port, upstreamPort, more(folder)));
  const server = spawn('nginx', ['-p', folder, '-c', config, '-e', 'stderr'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  while (!(await accepts(port))) {
    if (server.exitCode !== null) throw new Error('nginx ended without listening');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { process: server, port };
}

function configOf(folder: string, port: number, upstreamPort: number, more: More): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
    daemon off;
    master_process off;
    pid ${folder}/pid;
    error_log stderr error;
    events { worker_connections 8192; }
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
      keepalive_requests 1000000000;
      ${more.http}
      upstream site {
        server 127.0.0.1:${upstreamPort};
        keepalive 64;
        keepalive_requests 1000000000;
      }
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://site;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          ${more.location}
        }
      }
    }
  `;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return isOpen;
}
