import { Channel } from '../../src/channel/channel.ts';
import { decodeEvent, decodeEvents } from '../../src/cluster/event-codec.ts';
import { checkConfig } from '../../src/config/load.ts';
import { createLivePaths } from '../../src/live/endpoint.ts';
import type { Client } from '../../src/live/exchange.ts';
import { HubEdge } from '../../src/live/hub-edge.ts';
import type {
  EdgeMessage,
  EdgeReport,
  HubMessage,
  SharedMessage,
} from '../../src/live/hub-messages.ts';
import { clientText } from '../../src/live/hub-messages.ts';
import type { LiveFeed } from '../../src/live/live-feed.ts';
import type { FoundFeed } from '../../src/live/supply.ts';
import type { Wanted } from '../../src/live/wanted.ts';
import type { WriteRequest } from '../../src/live/write-request.ts';
import type { ChannelEvent } from '../../src/protocol/event.ts';
import { label } from '../protocol/events.ts';
import { createFakeClock } from '../support/fake-clock.ts';

const { live } = checkConfig(
  { site: 'http://127.0.0.1:3000', live: { '/x': { every: '1s', vary: [] } } },
  'test',
);
export const ENDPOINTS = createLivePaths(live).flatMap(({ endpoints }) => endpoints);

export const CLIENT: Client = {
  downstream: {
    address: '192.0.2.1',
    peer: '192.0.2.1',
    scheme: 'http',
    authority: 'site.test',
    host: 'site.test',
    trusted: false,
  },
  rawHeaders: ['cookie', 'a=1'],
};

/** A feed that does what the test says. */
export class ScriptedFeed implements LiveFeed {
  readonly channel = new Channel('c', { maxEvents: 10, maxBytes: 10_000 });
  readonly source = this.channel;
  readonly label = {};
  readonly hasEnded = false;
  streamCount = 0;
  /** What plain requests are answered with. */
  onRefresh: () => Promise<ChannelEvent | undefined> = () => Promise.resolve(this.channel.snapshot);
  settle: () => void = () => undefined;
  close: () => void = () => undefined;
  readonly settled = new Promise<void>((resolve) => {
    this.settle = resolve;
  });
  readonly closed = new Promise<void>((resolve) => {
    this.close = resolve;
  });

  join(): void {
    this.streamCount += 1;
  }

  leave(): void {
    this.streamCount -= 1;
  }

  refresh(): Promise<ChannelEvent | undefined> {
    return this.onRefresh();
  }

  end(): void {}
}

/** What an edge is told, in short: `sync 1: snapshot a-1`, `apply 1 2: snapshot a-2`. */
function inShort(message: HubMessage, body: Buffer): string {
  switch (message.kind) {
    case 'sync': {
      const flags = [
        message.isConfirmed ? '' : ' unconfirmed',
        message.start === undefined ? '' : ` after ${message.start}`,
      ].join('');
      return `sync ${message.ref}${flags}: ${decodeEvents(body).map(label).join(', ')}`;
    }
    case 'apply':
      return `apply ${message.refs.join(' ')}: ${label(decodeEvent(body))}`;
    case 'rest':
      return `rest ${message.refs.join(' ')}`;
    case 'refused':
      return `refused ${message.ref}: ${message.code}`;
    case 'settled':
    case 'closed':
      return `${message.kind} ${message.ref}`;
    default:
      return message.kind;
  }
}

/** One edge, as the hub sees it, and the feeds that it finds. */
export function hubEdgeScene() {
  const clock = createFakeClock();
  const told: string[] = [];
  const messages: HubMessage[] = [];
  const bodies: Buffer[] = [];
  const found = new Map<string, FoundFeed>();
  const asked: { wanted: Wanted; client: Client }[] = [];
  const writes: (WriteRequest | boolean)[] = [];
  const shared: SharedMessage[] = [];
  const answers: [number, EdgeReport][] = [];
  let closes = 0;
  let refusal: Error | undefined;
  const socket = {
    isCrowded: false,
    send(head: object, body: readonly Uint8Array[] = []) {
      // As it comes out at the other end.
      const message = JSON.parse(JSON.stringify(head)) as HubMessage;
      const bytes = Buffer.concat(body);
      messages.push(message);
      bodies.push(bytes);
      told.push(inShort(message, bytes));
    },
  };
  const feedOf = (url: string) => {
    const known = found.get(url);
    if (known) return known.feed as ScriptedFeed;
    const feed = new ScriptedFeed();
    found.set(url, { feed, passes: false });
    return feed;
  };
  const edge = new HubEdge({
    socket,
    feeds: {
      findForStream(wanted, client) {
        if (refusal) throw refusal;
        asked.push({ wanted, client });
        const feed = feedOf(wanted.url);
        return found.get(wanted.url) ?? { feed, passes: false };
      },
      beginWrite(request) {
        writes.push(request);
        return (hasChanged) => writes.push(hasChanged);
      },
    },
    endpoints: new Map(ENDPOINTS.map((endpoint) => [endpoint.name, endpoint])),
    clock,
    onShared: (message) => shared.push(message),
    onAnswer: (call, report) => answers.push([call, report]),
    onClose: () => {
      closes += 1;
    },
  });
  const say = (message: EdgeMessage, body: Buffer = Buffer.alloc(0)) => {
    edge.onMessage(JSON.parse(JSON.stringify(message)), body);
  };
  return {
    edge,
    socket,
    clock,
    told,
    messages,
    bodies,
    asked,
    writes,
    shared,
    answers,
    feedOf,
    say,
    get closes() {
      return closes;
    },
    /** How the hub finds the feed of a URL. */
    find: (url: string, passes: boolean) => found.set(url, { feed: feedOf(url), passes }),
    /** Refuse what is opened from now on. */
    refuse(error: Error | undefined) {
      refusal = error;
    },
    open(ref: number, url = '/x', body?: Buffer, endpoint = '/x') {
      const wanted = { endpoint, url, target: url };
      say({ kind: 'open', ref, wanted, client: clientText(CLIENT) }, body);
      return feedOf(url);
    },
  };
}

/** What was told since, once this turn has ended. */
export async function afterTurn(told: string[]): Promise<string[]> {
  await new Promise((resolve) => setImmediate(resolve));
  return told.splice(0);
}
