import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled, startNative } from './native-server.ts';
import type { Server } from './processes.ts';
import { freePort } from './push/child.ts';
import { temporaryFolder } from './push/native.ts';

/** Is it installed? */
export function hasNginx(): boolean {
  return isInstalled('nginx');
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
  return startNative('nginx', nginxArgs(port, upstreamPort, more), port);
}

/** The same, for who starts it otherwise. */
export function nginxArgs(
  port: number,
  upstreamPort: number,
  more: (folder: string) => More = () => ({ http: '', location: '' }),
): readonly string[] {
  const folder = temporaryFolder('bench-nginx-');
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, configOf(folder, port, upstreamPort, more(folder)));
  return ['-p', folder, '-c', config, '-e', 'stderr'];
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
      client_max_body_size 0;
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
