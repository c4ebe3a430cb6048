import { createHmac } from 'node:crypto';
import { CREDENTIALS } from '../config/vary.ts';
import { headerValues, trimBlanks } from '../shared/raw-headers.ts';
import { varyingCookies } from './channel-key.ts';
import type { Endpoint } from './endpoint.ts';
import type { Client, Exchange } from './exchange.ts';
import { clientOf } from './exchange.ts';

/**
 * No secret, and a constant: after a restart, and on other nodes, the same clients are to be inside. Who
 * works out a cookie that is inside gains nothing: what those get who are inside is to become what all
 * get.
 */
const SALT = 'comet-proxy: who is converted first';

/** So many different places: a share has five digits at most. */
const PLACES = 2 ** 32;

/**
 * Are plain requests of this client ours to answer, as far as `share` and `shadow` say? Otherwise they
 * are the site's, as with `polls: "pass"`.
 */
export function isConverted(endpoint: Endpoint, exchange: Exchange): boolean {
  return !endpoint.config.shadow && isInShare(endpoint, clientOf(exchange));
}

/**
 * Is a client inside of an endpoint's share? It stays inside while the share grows, and is inside of
 * every endpoint with the same share, as far as those are keyed by the same credentials.
 */
export function isInShare(endpoint: Pick<Endpoint, 'config' | 'keyed'>, client: Client): boolean {
  const { share } = endpoint.config;
  if (share >= 1) return true;
  if (share <= 0) return false;
  const credential = credentialOf(endpoint, client);
  return placeOf(credential.length > 0 ? credential : looksOf(client)) < share;
}

/** The values of the cookies, and of the `Authorization`, that an endpoint is keyed by. */
export function credentialOf(
  { keyed }: Pick<Endpoint, 'keyed'>,
  { rawHeaders }: Pick<Client, 'rawHeaders'>,
): readonly string[] {
  const cookies = varyingCookies(keyed, rawHeaders)
    .flatMap((line) => line.split(';'))
    .map(trimBlanks)
    .filter((pair) => pair !== '');
  const headers = keyed.flatMap((item) =>
    item.kind === 'header' && CREDENTIALS.has(item.name) ? headerValues(rawHeaders, item.name) : [],
  );
  // For another path a browser may send its cookies in another order.
  return [...cookies.sort(), ...headers];
}

function looksOf({ downstream, rawHeaders }: Client): readonly string[] {
  return [downstream.address, ...headerValues(rawHeaders, 'user-agent')];
}

/** From 0 to below 1, evenly; for the same parts always the same. */
function placeOf(parts: readonly string[]): number {
  const digest = createHmac('sha256', SALT).update(JSON.stringify(parts)).digest();
  return digest.readUInt32BE(0) / PLACES;
}
