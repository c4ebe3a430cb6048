import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'undici';
import type { TransportName } from '../protocol/surface.ts';
import { OWN_PREFIX, PARAMETERS } from '../protocol/surface.ts';
import type { CreateDecoder } from './decoders.ts';
import { decodeIframe, decodeLines, decodeMultipart, decodeSse } from './decoders.ts';
import type { Item, Received } from './received.ts';
import { itemIn, RefusedError, refusal } from './received.ts';
import { openSocket } from './socket.ts';

/** One answer, or one connection, to be read. */
export interface Reading {
  /** The origin of the proxy, as `http://127.0.0.1:8080`. */
  readonly origin: string;
  readonly transport: TransportName;
  /** Paths with their queries, each with the cursor that is known for it. */
  readonly urls: ReadonlyMap<string, string | undefined>;
  /** Header lines to send. */
  readonly headers: Readonly<Record<string, string>>;
  /** Accept any certificate. */
  readonly insecure: boolean;
  /** Further parameters of the transport. */
  readonly parameters?: Readonly<Record<string, string>>;
}

const STREAMS: { readonly [name in TransportName]?: CreateDecoder } = {
  sse: decodeSse,
  stream: decodeLines,
  multipart: decodeMultipart,
  iframe: decodeIframe,
};

const CALLBACK = 'print';

/** What a transport needs besides the URLs. */
const OWN_PARAMETERS: { readonly [name in TransportName]?: Readonly<Record<string, string>> } = {
  multipart: { [PARAMETERS.type]: 'mixed' },
  jsonp: { [PARAMETERS.callback]: CALLBACK },
};

/**
 * Read what one request for events gives, until the answer ends.
 *
 * @throws {RefusedError} when it is refused; else the error of the network.
 */
export async function* open(reading: Reading): AsyncGenerator<Item> {
  const target = surfaceUrl(reading);
  if (reading.transport === 'ws') {
    yield* openSocket(target, reading);
    return;
  }
  const tls = { connect: { rejectUnauthorized: !reading.insecure } };
  const agent = new Agent({ ...tls, headersTimeout: 0, bodyTimeout: 0 });
  try {
    // A script element's request must say where it comes from.
    const headers = { referer: `${reading.origin}/`, ...reading.headers };
    const {
      statusCode,
      headers: got,
      body,
    } = await request(target, { headers, dispatcher: agent });
    if (statusCode !== 200) {
      throw new RefusedError(statusCode, (await body.text()).trim() || `status ${statusCode}`);
    }
    const createDecoder = STREAMS[reading.transport];
    if (createDecoder) yield* decode(body, got, createDecoder);
    else yield* batch(await body.text(), reading.transport === 'jsonp');
  } finally {
    await agent.destroy();
  }
}

async function* decode(
  body: AsyncIterable<Buffer>,
  headers: IncomingHttpHeaders,
  createDecoder: CreateDecoder,
): AsyncGenerator<Item> {
  let items: Item[] = [];
  const decoder = createDecoder((item) => items.push(item), headers['content-type'] ?? '');
  for await (const bytes of body) {
    decoder(bytes);
    const arrived = items;
    items = [];
    yield* arrived;
  }
}

/** The events of a long poll. */
function batch(text: string, isScript: boolean): Item[] {
  const json = isScript ? argumentOf(text) : text;
  const { events = [], error } = JSON.parse(json) as { events?: Received[]; error?: unknown };
  if (error !== undefined) throw refusal(error);
  return events.map(itemIn);
}

/** The text that a JSONP answer gives to its callback. */
function argumentOf(script: string): string {
  const literal = new RegExp(`&&${CALLBACK}\\(JSON\\.parse\\((".*")\\)\\);\\n$`).exec(script)?.[1];
  if (literal === undefined) throw new SyntaxError(`not a call of ${CALLBACK}: ${script}`);
  return JSON.parse(literal) as string;
}

function surfaceUrl({ origin, transport, urls, parameters }: Reading): string {
  const query = new URLSearchParams();
  for (const [url, since] of urls) {
    query.append(PARAMETERS.url, url);
    if (since !== undefined) query.append(PARAMETERS.since, since);
  }
  const more = { ...OWN_PARAMETERS[transport], ...parameters };
  for (const [name, value] of Object.entries(more)) query.append(name, value);
  return `${origin}${OWN_PREFIX}${transport}?${query}`;
}
