import cluster from 'node:cluster';
import { chmodSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { connect } from 'node:net';
import type { ListenAddress } from '../config/readers.ts';

/** After a restart every client comes back at once. */
const BACKLOG = 4_096;

/** Let a server accept connections. @throws the system's error, for instance EADDRINUSE. */
export async function bind(server: Server, address: ListenAddress): Promise<void> {
  // Workers share a socket: the one that others listen on already is no stale one.
  if (address.kind === 'unix' && cluster.isPrimary) await removeStaleSocket(address.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    server.listen({ ...place(address), backlog: BACKLOG });
  });
  // SECURITY: owner and group only, as a web server in front of us would be set up.
  if (address.kind === 'unix') chmodSync(address.path, 0o660);
}

/** For people: `https://127.0.0.1:8443`, `unix:/run/x.sock`. */
export function describe(bound: AddressInfo | string | null, scheme: 'http' | 'https'): string {
  if (bound === null || typeof bound === 'string') return `unix:${bound ?? ''}`;
  const host = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return `${scheme}://${host}:${bound.port}`;
}

/** An address as the config has it. */
export function addressText(address: ListenAddress): string {
  if (address.kind === 'fd') return `fd:${address.fd}`;
  if (address.kind === 'unix') return `unix:${address.path}`;
  const { host = '' } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${address.port}`;
}

function place(address: ListenAddress): { fd: number } | { path: string } | { port: number } {
  if (address.kind === 'fd') return { fd: address.fd };
  if (address.kind === 'unix') return { path: address.path };
  const { port, host } = address;
  return host === undefined ? { port } : { port, ...{ host } };
}

/** A socket file that nobody listens on was left by a process that died. */
export async function removeStaleSocket(path: string): Promise<void> {
  if (!statSync(path, { throwIfNoEntry: false })?.isSocket()) return;
  const isAlive = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => resolve(true)).once('error', () => resolve(false));
    probe.once('connect', () => probe.destroy());
  });
  if (!isAlive) rmSync(path);
}
