import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { checkConfig } from '../../src/config/load.ts';
import { Connections } from '../../src/server/connections.ts';
import type { Peer } from '../../src/server/identify-downstream.ts';
import { createTrust } from '../../src/server/identify-downstream.ts';
import type { Listener, ListenerTimes } from '../../src/server/listener.ts';
import { openListener } from '../../src/server/listener.ts';
import type { LogLine } from './recording-log.ts';
import { recordingLog } from './recording-log.ts';

/** A listener under test, without a proxy behind it. */
export interface TestListener extends Listener {
  readonly port: number;
  readonly lines: LogLine[];
  readonly connections: Connections;
  /** Who sent each request that was handed on. */
  readonly peers: Peer[];
}

/** What a test may choose. */
export interface TestListenerOptions {
  /** As it would stand in a config file. */
  readonly listen?: unknown;
  readonly limits?: Record<string, unknown>;
  readonly trustedProxies?: readonly string[];
  readonly times?: Partial<ListenerTimes>;
  readonly nodeVersion?: string;
  readonly onRequest?: (req: IncomingMessage, res: ServerResponse) => void;
}

/** A version of Node of which nothing is known. */
export const SAFE_NODE = '99.0.0';

/** Open a listener on a free port of the loopback; closed when the test ends. */
export async function startListener(
  t: TestContext,
  options: TestListenerOptions = {},
): Promise<TestListener> {
  const config = checkConfig(
    {
      site: 'http://127.0.0.1:1',
      listen: options.listen ?? '127.0.0.1:0',
      limits: options.limits ?? {},
      trustedProxies: options.trustedProxies ?? [],
    },
    'test',
  );
  const { log, lines } = recordingLog();
  const isTrusted = createTrust(config.trustedProxies);
  const connections = new Connections(config.limits, isTrusted);
  const peers: Peer[] = [];
  const onRequest = options.onRequest ?? ((_req, res) => res.end('ok'));
  const { limits } = config;
  const { times = {}, nodeVersion = process.versions.node } = options;
  const [listen] = config.listen;
  if (!listen) throw new Error('no address');
  const listener = await openListener(listen, {
    limits,
    connections,
    log,
    isTrusted,
    times,
    nodeVersion,
    handlers: {
      onRequest(req, res, peer) {
        peers.push(peer);
        onRequest(req, res);
      },
      onUpgrade: (_req, socket) => void socket.destroy(),
    },
  });
  t.after(async () => {
    const closed = listener.close();
    listener.destroy();
    await closed;
  });
  const port = Number(/:(\d+)$/.exec(listener.url)?.[1]);
  return { ...listener, port, lines, connections, peers };
}
