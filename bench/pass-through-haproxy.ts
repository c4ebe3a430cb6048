import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled, startNative } from './native-server.ts';
import type { Server } from './processes.ts';
import { freePort } from './push/child.ts';
import { temporaryFolder } from './push/native.ts';

/** Is it installed? */
export function hasHaproxy(): boolean {
  return isInstalled('haproxy');
}

/** Start HAProxy as a reverse proxy with one thread and kept connections on both sides. */
export async function startHaproxy(upstreamPort: number): Promise<Server> {
  const port = await freePort();
  const config = join(temporaryFolder('bench-haproxy-'), 'haproxy.cfg');
  writeFileSync(config, `${configOf(port, upstreamPort)}\n`);
  return startNative('haproxy', ['-q', '-db', '-f', config], port);
}

function configOf(port: number, upstreamPort: number): string {
  return `
    global
      nbthread 1
      maxconn 2000
    defaults
      mode http
      option http-keep-alive
      http-reuse always
      timeout connect 5s
      timeout client 60s
      timeout server 60s
    frontend clients
      bind 127.0.0.1:${port}
      default_backend site
    backend site
      server site 127.0.0.1:${upstreamPort}
  `;
}
