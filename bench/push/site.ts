import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeState } from './state.ts';

/** A program whose state is pushed. */
export interface Site {
  readonly port: number;
  /** The moments at which its state has changed. */
  readonly made: readonly bigint[];
  close(): void;
}

/** A site whose state is another one whenever it is asked for. */
export async function startPolledSite(bytes: number): Promise<Site> {
  const made: bigint[] = [];
  const site = await listen((_req, res) => {
    const { at, text } = makeState(bytes);
    made.push(at);
    res.setHeader('content-type', 'application/json').end(text);
  });
  return { ...site, made };
}

/** A site whose state never changes. */
export function startQuietSite(bytes: number): Promise<{ port: number; close(): void }> {
  const { text } = makeState(bytes);
  return listen((_req, res) => res.setHeader('content-type', 'application/json').end(text));
}

/** Serve on a free port. */
export async function listen(
  handle: (req: IncomingMessage, res: ServerResponse) => void,
): Promise<{ port: number; close(): void }> {
  const server = createServer(handle);
  server.keepAliveTimeout = 60_000;
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Where a server takes what it is to push, for one endpoint. */
export interface PublishTo {
  readonly port: number;
  readonly path: string;
  readonly contentType: string;
  /** The body of the request that publishes this state. */
  body(text: string): string;
}

/**
 * Publish a new state to each of these places at every interval, spread over it. The first ones are
 * there when it resolves.
 */
export async function startPublisher(
  places: readonly PublishTo[],
  { bytes, intervalMs }: { bytes: number; intervalMs: number },
): Promise<Omit<Site, 'port'>> {
  const made: bigint[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const publish = async (place: PublishTo) => {
    const { at, text } = makeState(bytes);
    made.push(at);
    await post(place, text, agent);
  };
  for (const place of places) await publish(place);
  const timers = new Set<NodeJS.Timeout>();
  let isOpen = true;
  for (const [index, place] of places.entries()) {
    const onFailure = (error: unknown) => {
      if (isOpen) console.error(`cannot publish: ${error}`);
    };
    const start = setTimeout(
      () => {
        const each = setInterval(() => void publish(place).catch(onFailure), intervalMs);
        timers.add(each);
      },
      (index * intervalMs) / places.length,
    );
    timers.add(start);
  }
  return {
    made,
    close() {
      isOpen = false;
      for (const timer of timers) clearInterval(timer);
      agent.destroy();
    },
  };
}

async function post(
  { port, path, contentType, body }: PublishTo,
  text: string,
  agent: Agent,
): Promise<void> {
  const payload = body(text);
  const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(payload) };
  const req = request({ host: '127.0.0.1', port, path, method: 'POST', agent, headers });
  req.end(payload);
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  res.resume();
  if ((res.statusCode ?? 500) >= 300) throw new Error(`${path} answered ${res.statusCode}`);
}
