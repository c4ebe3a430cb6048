import type { TransportName } from '../../../src/protocol/surface.ts';
import type { Decode } from './decoders.ts';
import * as decode from './decoders.ts';

/** One way to read events, and what it can do. */
export interface Client {
  /** How tests name it. */
  readonly name: string;
  readonly transport: TransportName;
  /** On the endpoint's own URL: what it gets are bodies. */
  readonly isBare: boolean;
  /** Of an answer that stays open; long polls and sockets have none. */
  readonly decode?: Decode;
  /** What it says besides the URLs. */
  readonly parameters: Readonly<Record<string, string>>;
  /** It can have several URLs in one stream. */
  readonly isShared: boolean;
  /** It learns ids, and can resume. */
  readonly hasCursors: boolean;
  /** It can be told something besides the state. */
  readonly hasWords: boolean;
  readonly takesPatches: boolean;
}

const enveloped = {
  isBare: false,
  parameters: {},
  isShared: true,
  hasCursors: true,
  hasWords: true,
  takesPatches: true,
} as const satisfies Partial<Client>;

/** A client of each transport. */
export const CLIENTS: Readonly<Record<TransportName, Client>> = {
  sse: { ...enveloped, name: 'sse', transport: 'sse', decode: decode.envelopedEvents },
  ws: { ...enveloped, name: 'ws', transport: 'ws' },
  stream: { ...enveloped, name: 'stream', transport: 'stream', decode: decode.lines },
  multipart: {
    ...enveloped,
    name: 'multipart',
    transport: 'multipart',
    isShared: false,
    parameters: { type: 'mixed' },
    decode: decode.parts,
  },
  poll: { ...enveloped, name: 'poll', transport: 'poll', parameters: { wait: '20' } },
  jsonp: {
    ...enveloped,
    name: 'jsonp',
    transport: 'jsonp',
    parameters: { callback: 'got', wait: '20' },
  },
  iframe: { ...enveloped, name: 'iframe', transport: 'iframe', decode: decode.iframe },
};

/** Server-sent events on the endpoint's own URL. */
export const BARE_SSE: Client = {
  ...enveloped,
  name: 'bare sse',
  transport: 'sse',
  isBare: true,
  isShared: false,
  decode: decode.bareEvents,
};

/** A WebSocket on the endpoint's own URL. */
export const BARE_WS: Client = {
  ...enveloped,
  name: 'bare ws',
  transport: 'ws',
  isBare: true,
  isShared: false,
  hasCursors: false,
  hasWords: false,
  takesPatches: false,
};

/** Its answers end, and it asks again. */
export function isLongPoll({ transport }: Client): boolean {
  return transport === 'poll' || transport === 'jsonp';
}

/** Its answer is an HTTP body that stays open. */
export function isStream({ decode: decoder }: Client): boolean {
  return decoder !== undefined;
}

/** Paths and queries, each with the cursor that the client has for it. */
export type Wanted = Readonly<Record<string, string | undefined>>;

/** The request target, and the headers that this client needs. */
export function requestOf(client: Client, origin: string, wanted: Wanted) {
  // A script element's request must say where it comes from.
  const headers: Record<string, string> =
    client.transport === 'jsonp' ? { referer: `${origin}/` } : {};
  const [first] = Object.entries(wanted);
  if (client.isBare && first) {
    const [url, since] = first;
    if (client.transport === 'sse') headers['accept'] = 'text/event-stream';
    if (since !== undefined) headers['last-event-id'] = since;
    return { target: url, headers };
  }
  const query = new URLSearchParams();
  for (const [url, since] of Object.entries(wanted)) {
    query.append('url', url);
    if (since !== undefined) query.append('since', since);
  }
  for (const [name, value] of Object.entries(client.parameters)) query.append(name, value);
  return { target: `/_comet/${client.transport}?${query}`, headers };
}
