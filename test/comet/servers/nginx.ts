import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const NGINX = '/usr/sbin/nginx';

/** What Debian installs as libnginx-mod-nchan. */
const NCHAN_MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';

/**
 * Start nginx with nchan on a free port; it ends with the test, and leaves no files.
 *
 * @param locations - The inside of its only `server`.
 * @returns its port.
 */
export async function startNginx(t: TestContext, locations: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'comet-nginx-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // It cannot choose a port itself, and another process may be faster than it.
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    writeFileSync(join(folder, 'nginx.conf'), configOf(port, locations));
    const child = spawn(NGINX, ['-p', folder, '-c', 'nginx.conf'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const failure = await failureToStart(child);
    if (failure === undefined) {
      t.after(() => stop(child));
      return port;
    }
    if (attempt === 10 || !failure.includes('Address already in use')) throw new Error(failure);
  }
}

/** All its files in the folder, no second process in the background. */
function configOf(port: number, locations: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
    load_module ${NCHAN_MODULE};
    daemon off;
    ${process.getuid?.() === 0 ? `user ${userInfo().username};` : ''}
    worker_processes 1;
    pid nginx.pid;
    error_log stderr notice;
    events { worker_connections 256; }
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${name};`).join(' ')}
      server {
        listen 127.0.0.1:${port};
        ${locations}
      }
    }
  `;
}

/** What it says when it gives up, or nothing once it listens. */
function failureToStart(child: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('start worker process ')) resolve(undefined);
    });
    child.on('error', (error) => resolve(`${error.message}: apt-get install nginx`));
    child.on('close', () => resolve(said));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
