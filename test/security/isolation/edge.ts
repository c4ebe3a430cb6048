import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { TestContext } from 'node:test';

/** The header by which a client tells the edge who it is. */
export const WHO = 'x-who';

/** What the edge makes of one client. */
export interface Guise {
  /** Host and port that the client believes to talk to. */
  readonly host: string;
  /** The origin of its pages. */
  readonly origin: string;
  /** Its other header lines, byte for byte; texts are latin1. */
  readonly lines: readonly string[];
}

/**
 * A hop before the proxy that gives each request the header lines of its sender, so that any client
 * library can send what none of them would: two `Cookie` lines, bytes that are no UTF-8.
 *
 * One request a connection.
 *
 * @returns its origin.
 */
export async function startEdge(
  t: TestContext,
  proxyPort: number,
  guiseOf: (who: string) => Guise,
): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const proxy = connect({ port: proxyPort, host: '127.0.0.1', noDelay: true });
    for (const [one, other] of [
      [client, proxy],
      [proxy, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.once('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    proxy.pipe(client);
    let received = '';
    client.on('data', function take(bytes) {
      received += bytes.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      if (end === -1) return;
      client.off('data', take);
      proxy.write(`${disguised(received.slice(0, end), guiseOf)}${received.slice(end)}`, 'latin1');
      client.pipe(proxy);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function disguised(head: string, guiseOf: (who: string) => Guise): string {
  const [requestLine = '', ...lines] = head.split('\r\n');
  const who = headerOf(lines, WHO);
  if (who === undefined) return head;
  const guise = guiseOf(who);
  const kept = lines
    .filter((line) => !new RegExp(`^(?:host|referer|${WHO}):`, 'i').test(line))
    .concat(headerOf(lines, 'referer') === undefined ? [] : [`Referer: ${guise.origin}/`]);
  return [requestLine, `Host: ${guise.host}`, ...kept, ...guise.lines].join('\r\n');
}

function headerOf(lines: readonly string[], name: string): string | undefined {
  const line = lines.find((candidate) => candidate.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}
