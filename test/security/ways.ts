import {
  BARE_SSE,
  BARE_WS,
  CLIENTS,
  isLongPoll,
  requestOf,
} from '../contract/transport/clients.ts';
import { HANDSHAKE } from '../support/raw-websocket.ts';

/** One way to be given a state, as a request on the wire. */
export interface Way {
  readonly name: string;
  /** The request head for a path and query, with further header lines. */
  request(target: string, ...lines: string[]): string;
  /** One answer gives all states to come; else it has to be asked for again. */
  readonly isLasting: boolean;
}

const HOST = 'site.test';

/** Every way: each transport, and plain requests. */
export const WAYS: readonly Way[] = [
  ...[BARE_SSE, BARE_WS, ...Object.values(CLIENTS)].map((client) => ({
    name: client.name,
    isLasting: !isLongPoll(client),
    request(target: string, ...lines: string[]) {
      const { target: asked, headers } = requestOf(client, `http://${HOST}`, {
        [target]: undefined,
      });
      const own = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      const upgrade = client.transport === 'ws' ? HANDSHAKE : [];
      return head(asked, ...own, ...upgrade, ...lines);
    },
  })),
  { name: 'plain', isLasting: false, request: (target, ...lines) => head(target, ...lines) },
  {
    name: 'wait',
    isLasting: false,
    request: (target, ...lines) => head(target, 'Prefer: wait=20', ...lines),
  },
];

function head(target: string, ...lines: string[]): string {
  return [`GET ${target} HTTP/1.1`, `Host: ${HOST}`, ...lines, '', ''].join('\r\n');
}
