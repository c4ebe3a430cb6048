import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { MessageHandlers } from '../../src/cluster/message-socket.ts';

/** A path for a socket, in a folder of its own. */
export function socketPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'comet-proxy-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'hub.sock');
}

/** Both ends of a connection between two processes of one machine. */
export async function socketPair(t: TestContext): Promise<[Socket, Socket]> {
  const path = socketPath(t);
  const server = createServer();
  server.listen(path);
  await once(server, 'listening');
  const near = connect(path);
  t.after(() => {
    near.destroy();
    server.close();
  });
  const [far] = (await once(server, 'connection')) as [Socket];
  t.after(() => far.destroy());
  return [near, far];
}

/** Keeps what a socket has heard. */
export class Heard implements MessageHandlers {
  readonly heads: unknown[] = [];
  readonly bodies: string[] = [];
  closes = 0;
  drains = 0;

  onMessage(head: unknown, body: Buffer): void {
    this.heads.push(head);
    this.bodies.push(body.toString());
  }

  onClose(): void {
    this.closes += 1;
  }

  onDrain(): void {
    this.drains += 1;
  }
}
