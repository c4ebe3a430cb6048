import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/comet-proxy.js', import.meta.url));

/** A process that serves on a socket which it was given. */
export interface HeirProcess {
  /** Resolves with the exit code, or the signal that ended it, and all that it wrote. */
  readonly ended: Promise<{ readonly code: unknown; readonly output: string }>;
  kill(signal: NodeJS.Signals): void;
}

/**
 * Listen on one port of the loopback and hand the socket to a process of the command for each of
 * the sites. Resolves when all of them accept connections on it, and nobody else does.
 */
export async function handSocketOver(
  t: TestContext,
  sites: readonly string[],
): Promise<{ readonly port: number; readonly processes: readonly HeirProcess[] }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  try {
    const processes = await Promise.all(sites.map((site) => startHeir(t, fd, site)));
    return { port, processes };
  } finally {
    server.close();
  }
}

async function startHeir(t: TestContext, fd: number, site: string): Promise<HeirProcess> {
  const child = spawn(process.execPath, [BIN, '--site', site, '--listen', 'fd:3'], {
    stdio: ['ignore', 'pipe', 'pipe', fd],
  });
  let output = '';
  const ended = once(child, 'close').then(([code, signal]) => ({ code: code ?? signal, output }));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const accepts = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (/^listening on http:\/\/127\.0\.0\.1:\d+$/m.test(output)) resolve();
      });
    }
  });
  await Promise.race([
    accepts,
    ended.then(() => Promise.reject(new Error(`it does not serve: ${output}`))),
  ]);
  return { ended, kill: (signal) => void child.kill(signal) };
}
