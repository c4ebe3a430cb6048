import { createHash } from 'node:crypto';
import { bodyFieldSource } from '../config/body-field.ts';
import type { Endpoint } from './endpoint.ts';
import type { Content } from './request-body.ts';
import { isIgnored } from './url-encoded.ts';
import type { Wanted } from './wanted.ts';

/** The header that tells the browser script what is live. */
export const LIVE_HEADER = 'comet-live';

/** What is told besides what the endpoint's config says. */
export interface LiveHeaderOptions {
  /** The state that the answer holds; `undefined` when the site answers. */
  readonly stateId: string | undefined;
  readonly ticket: string | undefined;
}

/** Does whoever follows an address need more than the address itself? */
export function needsTicket({ endpoint, content }: Wanted): boolean {
  return content !== undefined || endpoint.isPrivate;
}

/** The address that the events of a request are told under: bodies have names. */
export function liveAddress({ url, content }: Wanted): string {
  return content ? `${url}#${nameOf(content)}` : url;
}

/** The value of `Comet-Live`: a string with parameters (RFC 9651 §3.3). */
export function liveHeader(wanted: Wanted, { stateId, ticket }: LiveHeaderOptions): string {
  const { endpoint } = wanted;
  const { ignoreBody, rpc } = endpoint.config;
  const parameters: readonly (readonly [name: string, value: string | undefined])[] = [
    ['id', stateId],
    ['ignore', listed(toldIgnoreQuery(endpoint))],
    ['ignoreBody', wanted.content && listed(ignoreBody.map(bodyFieldSource))],
    ['ticket', ticket],
  ];
  const told = parameters.flatMap(([name, value]) => (value ? [`;${name}=${quoted(value)}`] : []));
  return `${quoted(liveAddress(wanted))}${told.join('')}${wanted.content && rpc ? ';rpc' : ''}`;
}

/** The same for all clients, so that one frame serves them all. */
function nameOf({ type, bytes }: Content): string {
  const hash = createHash('sha256')
    .update(`${type ?? ''}\n`)
    .update(bytes);
  return hash.digest('base64url').slice(0, 16);
}

/** Patterns that could mean what the address keeps are left out: then nothing is taken for the same. */
function toldIgnoreQuery({ config, keptQuery }: Endpoint): readonly string[] {
  return config.ignoreQuery.filter(
    (pattern) => !keptQuery.some((name) => isIgnored(name, [pattern])),
  );
}

function listed(names: readonly string[]): string {
  return names.map(encodeURIComponent).join(' ');
}

/** Targets and encoded names are printable ASCII. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
