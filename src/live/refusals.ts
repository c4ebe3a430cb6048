import { ownOrigin } from '../shared/downstream.ts';
import { ProxyError } from '../shared/errors.ts';
import { headerValue } from '../shared/raw-headers.ts';
import { EVENT_HEADERS } from '../transport/connection.ts';
import type { Framing, FramingOptions } from '../transport/framing.ts';
import { corsHeaders, foreignOrigin, provesOwnOrigin } from '../transport/gate.ts';
import type { Parameters } from '../transport/parameters.ts';
import type { Exchange, HttpExchange } from './exchange.ts';

/** How a request wants to read events. */
export interface Reading {
  readonly framing: Framing;
  readonly parameters: Parameters;
  /** The origin of the page that reads, if it is not our own. */
  readonly foreign: string | undefined;
}

/** What a framing is told of a request. */
export function framingOptions(
  { downstream }: Exchange,
  { parameters, foreign }: Reading,
): Omit<FramingOptions, 'retryMs'> {
  const { paddingBytes, callback, frame } = parameters;
  const page = foreign ?? ownOrigin(downstream);
  return { paddingBytes, callback, frame, page, isForeign: foreign !== undefined };
}

/**
 * SECURITY: whoever can make a browser load a URL, by a link or an image, could make us send a `POST`
 * with its credentials. Programs that open a WebSocket name no origin, browsers always do.
 *
 * @throws {ProxyError} `UNPROVEN_ORIGIN`.
 */
export function refuseForgedPost(
  { req: { rawHeaders }, downstream }: Exchange,
  kind: 'request' | 'upgrade',
): void {
  const own = ownOrigin(downstream);
  const isOwn =
    kind === 'upgrade'
      ? foreignOrigin(rawHeaders, own) === undefined
      : provesOwnOrigin(rawHeaders, own);
  // Links, frames and images stand in pages by others than their scripts.
  const mode = headerValue(rawHeaders, 'sec-fetch-mode');
  const isScript = kind === 'upgrade' || (mode !== 'navigate' && mode !== 'no-cors');
  if (!isOwn || !isScript) throw new ProxyError('UNPROVEN_ORIGIN');
}

/**
 * Tell of a refusal inside an answer with status 200: clients of some transports see no other.
 *
 * @throws the error itself where the client can see its status, and where it is no refusal.
 */
export function tellRefusal(
  exchange: HttpExchange,
  reading: Reading,
  error: unknown,
  retryMs: number,
): void {
  const { res } = exchange;
  if (!(error instanceof ProxyError) || error.code === 'INTERNAL' || res.headersSent) throw error;
  const { framing, foreign } = reading;
  const options = { ...framingOptions(exchange, reading), retryMs };
  const body = framing.refusal?.(error.code, options);
  if (body === undefined) throw error;
  const headers = { ...framing.headers(options), ...EVENT_HEADERS, ...corsHeaders(foreign) };
  const length = { 'content-length': String(Buffer.byteLength(body)) };
  res.writeHead(200, { ...headers, ...length }).end(body);
}
