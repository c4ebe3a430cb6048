import { canonicalTarget } from './channel-key.ts';
import type { Endpoint } from './endpoint.ts';
import type { Content } from './request-body.ts';
import { parseBody } from './request-body.ts';
import { matchesBody, matchesQuery } from './request-match.ts';
import { shapeBody, shapeTarget } from './request-shape.ts';

/** What a request asks for, whoever sends it. */
export interface Inquiry {
  readonly method: string;
  /** Path and query as the client has them. */
  readonly target: string;
  /** Of a `POST`. */
  readonly content: Content | undefined;
}

/** What an endpoint is asked for, and what its poll asks the site. */
export interface Wanted {
  readonly endpoint: Endpoint;
  /** The address that its events are told under: path and query less what `ignoreQuery` names. */
  readonly url: string;
  /** Path and query of the poll. */
  readonly target: string;
  /** What the poll carries; `undefined` when it is a `GET`. */
  readonly content: Content | undefined;
  /** With `rpc`: the id of this very call, as JSON text. */
  readonly callerId: string | undefined;
}

/** The first of these endpoints that means a request; `undefined` when it is the site's alone. */
export function findWanted(endpoints: readonly Endpoint[], asked: Inquiry): Wanted | undefined {
  for (const endpoint of endpoints) {
    const wanted = wantedFrom(endpoint, asked);
    if (wanted) return wanted;
  }
  return undefined;
}

/** The address that the events of a URL are told under. */
export function addressOf({ config, keptQuery }: Endpoint, target: string): string {
  return canonicalTarget(target, config.ignoreQuery, keptQuery);
}

/** Path and query of the polls of a URL. */
export function polledTarget(endpoint: Endpoint, target: string): string {
  return polledAt(endpoint, addressOf(endpoint, target));
}

function polledAt({ config }: Endpoint, url: string): string {
  return shapeTarget(url, config.request.query);
}

/** Could this request be meant, whatever its body is? */
export function mayBeWanted({ config }: Endpoint, method: string, target: string): boolean {
  return method === config.method && matchesQuery(target, config.match.query);
}

function wantedFrom(endpoint: Endpoint, { method, target, content }: Inquiry): Wanted | undefined {
  if (!mayBeWanted(endpoint, method, target)) return undefined;
  const url = addressOf(endpoint, target);
  const poll = { endpoint, url, target: polledAt(endpoint, url) };
  if (method !== 'POST') return { ...poll, content: undefined, callerId: undefined };
  if (!content) return undefined;
  const { match, ignoreBody, rpc, request } = endpoint.config;
  const body = parseBody(content.type, content.bytes);
  if (!matchesBody(body, match.body)) return undefined;
  const shaped = shapeBody(body, content.bytes, { ignoreBody, rpc, changes: request.body });
  if (!shaped) return undefined;
  return {
    ...poll,
    content: { type: content.type, bytes: shaped.sent },
    callerId: shaped.callerId,
  };
}
