import type { Identity, KeyParts } from './channel-key.ts';
import { identify } from './channel-key.ts';
import type { Endpoint } from './endpoint.ts';
import type { Client } from './exchange.ts';
import type { Wanted } from './wanted.ts';

/** Is its state one for all sessions that the site lets in? */
export function hasSessions({ config }: Endpoint): boolean {
  return config.authorizedBy.length > 0;
}

/** Who a client is for an endpoint: all that its polls and probes carry of it. */
export function identifyWanted(wanted: Wanted, client: Client, secret: Uint8Array): Identity {
  return hasSessions(wanted.endpoint)
    ? identifySession(wanted, client, secret)
    : identifyState(wanted, client, secret);
}

/** What the polls of a state carry of a client. */
export function identifyState(wanted: Wanted, client: Client, secret: Uint8Array): Identity {
  return identifyAs('state', wanted.endpoint.config.vary, wanted, client, secret);
}

/** What tells a session from others, of an endpoint with `authorizedBy`. */
export function identifySession(wanted: Wanted, client: Client, secret: Uint8Array): Identity {
  const { vary, authorizedBy } = wanted.endpoint.config;
  return identifyAs('session', [...vary, ...authorizedBy], wanted, client, secret);
}

function identifyAs(
  kind: KeyParts['kind'],
  vary: KeyParts['vary'],
  { endpoint, target, content }: Wanted,
  client: Client,
  secret: Uint8Array,
): Identity {
  return identify({ kind, endpoint: endpoint.name, target, content, vary, ...client }, secret);
}
