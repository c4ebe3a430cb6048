import { createHmac } from 'node:crypto';
import { HubLink } from './cluster/hub-link.ts';
import { openHubListener } from './cluster/hub-listener.ts';
import type { Config } from './config/schema.ts';
import { explainConfig } from './explain-config.ts';
import type { Front } from './front.ts';
import { openFront } from './front.ts';
import { createLivePaths } from './live/endpoint.ts';
import { Hub } from './live/hub.ts';
import type { EdgeQuestion, EdgeReport } from './live/hub-messages.ts';
import { mergeExplanations, mergeSubscribers, mergeTraffic } from './live/merge-reports.ts';
import { Mirrors } from './live/mirrors.ts';
import { openPolling } from './polling.ts';
import { startAdmin } from './start-admin.ts';
import type { Surroundings } from './stores.ts';
import { createStores } from './stores.ts';

/*
 * One machine, many cores: the hub polls, edges face clients. Each is a process of its own, and they
 * are made of what one process is made of (main.ts): the hub of the half that polls, an edge of the
 * half that faces clients, and between them a socket.
 */

/** What all processes of one proxy have in common. */
export interface Kinship {
  /** Of the hub's socket. */
  readonly path: string;
  /** SECURITY: random, at least 32 bytes: names channels, makes tickets, opens the hub's socket. */
  readonly secret: Uint8Array;
  /** What we call ourselves in `Via`; `undefined` sends none. */
  readonly pseudonym: string | undefined;
  /** How many edges there are. */
  readonly edges: number;
}

/** A running hub. */
export interface RunningHub {
  /** Where the admin listener is, if there is one. */
  readonly adminUrl: string | undefined;
  close(): Promise<void>;
}

/** A running edge. */
export type RunningEdge = Pick<Front, 'urls' | 'streamCount' | 'drain' | 'close' | 'reload'>;

/**
 * Poll for edges. The way of an event: poll, detect, feed, backplane, channel; from there over the
 * socket to each edge that shows it.
 *
 * @throws the system's error when an address cannot be listened on.
 */
export async function startHub(
  config: Config,
  { path, secret, pseudonym, edges }: Kinship,
  surroundings: Surroundings,
): Promise<RunningHub> {
  const livePaths = createLivePaths(config.live);
  const endpoints = livePaths.flatMap((live) => live.endpoints);
  const own = { ...config, limits: ofHub(config.limits, edges) };
  const stores = createStores(own.limits, surroundings);
  const polling = openPolling({
    ...surroundings,
    config: own,
    endpoints,
    stores,
    pseudonym,
    secret,
  });
  const { feeds } = polling;
  const hub = new Hub({ feeds, endpoints, clock: surroundings.clock });
  const parts: { close(): unknown }[] = [polling];
  const close = async () => {
    for (const part of [...parts].reverse()) await part.close();
  };
  try {
    const admin = await startAdmin(
      config,
      { config, livePaths, feeds, front: frontOf(hub, config) },
      surroundings,
    );
    if (admin) parts.push(admin);
    const { log } = surroundings;
    const key = keyOf(secret);
    parts.push(await openHubListener({ path, key, log, onEdge: (socket) => hub.welcome(socket) }));
    return { adminUrl: admin?.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Face clients with what the hub polls. The way of an event: socket, mirror, channel, subscriber,
 * transport.
 *
 * @throws the system's error when an address cannot be listened on.
 */
export async function startEdge(
  config: Config,
  kinship: Kinship,
  surroundings: Surroundings,
): Promise<RunningEdge> {
  const { path, secret, pseudonym, edges } = kinship;
  const own = { ...config, limits: partOf(config.limits, edges) };
  const livePaths = createLivePaths(own.live);
  const stores = createStores(own.limits, surroundings);
  const mirrors: Mirrors = new Mirrors({
    ...stores,
    ...surroundings,
    limits: own.limits,
    maxLogBytes: own.limits.logBytes,
    endpoints: livePaths.flatMap(({ endpoints }) => endpoints),
    secret,
    send: (message, body) => link.send(message, body),
  });
  const link = new HubLink({ ...surroundings, path, key: keyOf(secret) }, mirrors);
  const closeSupply = () => {
    mirrors.close();
    link.close();
  };
  try {
    // What came before would not be shared with others.
    await link.reached;
    const front = await openFront({
      ...surroundings,
      config: own,
      livePaths,
      stores,
      supply: mirrors,
      pseudonym,
      ticketSecret: secret,
      neighbours: {
        onTicket: (ticket, issued) => mirrors.shareTicket(ticket, issued),
        onPageLoad: (client) => mirrors.sharePageLoad(client),
      },
    });
    const { tickets } = front;
    mirrors.duties = {
      tickets,
      onPageLoad: (client) => front.onPageLoad(client),
      report: (question) => reportOf(question, front, mirrors),
    };
    return {
      urls: front.urls,
      get streamCount() {
        return front.streamCount;
      },
      async drain() {
        await front.drain();
        closeSupply();
      },
      async close() {
        await front.close();
        closeSupply();
      },
      reload: () => front.reload(),
    };
  } catch (error) {
    closeSupply();
    throw error;
  }
}

/** Whoever runs the proxy asks the hub, and it asks the edges. */
function frontOf(hub: Hub, config: Config) {
  return {
    explain: async (question: Parameters<Front['explain']>[0]) =>
      mergeExplanations(await hub.ask({ about: 'request', question })) ??
      explainConfig(config, question),
    async discover() {
      const report = mergeTraffic(await hub.ask({ about: 'traffic' }));
      if (!report) throw new Error('no worker has answered');
      return report;
    },
    subscribers: async (keys: readonly string[]) =>
      mergeSubscribers(await hub.ask({ about: 'subscribers', keys })),
  };
}

async function reportOf(
  question: EdgeQuestion,
  front: Front,
  mirrors: Mirrors,
): Promise<EdgeReport> {
  switch (question.about) {
    case 'request':
      return { explanation: front.explain(question.question) };
    case 'subscribers':
      return { subscribers: mirrors.subscribersOf(question.keys) };
    case 'traffic':
      return { traffic: await front.discover() };
  }
}

/** Each edge gets its part of what all of them together may have. */
function partOf(limits: Config['limits'], edges: number): Config['limits'] {
  const part = (all: number) => Math.ceil(all / edges);
  return {
    ...limits,
    connections: part(limits.connections),
    streams: part(limits.streams),
    subscribersPerChannel: part(limits.subscribersPerChannel),
  };
}

/** What an edge shows to any number of clients is one subscriber of the hub. */
function ofHub(limits: Config['limits'], edges: number): Config['limits'] {
  return { ...limits, subscribersPerChannel: Math.max(limits.subscribersPerChannel, edges) };
}

/** SECURITY: of its own, so that the socket never carries what names channels. */
function keyOf(secret: Uint8Array): string {
  return createHmac('sha256', secret).update('hub socket').digest('base64');
}
