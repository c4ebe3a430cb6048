import { parseCursor } from '../protocol/cursor.ts';
import { ownOrigin } from '../shared/downstream.ts';
import { asProxyError, errorData, ProxyError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Catalog } from './catalog.ts';
import { canonicalTarget } from './channel-key.ts';
import type { Endpoint } from './endpoint.ts';
import type { UpgradeExchange } from './exchange.ts';
import type { Stream } from './stream.ts';
import { ownTarget } from './stream-query.ts';

/** What a session is made of. */
export interface SessionOptions {
  readonly catalog: Catalog;
  /** The handshake: later URLs are asked for with its credentials. */
  readonly exchange: UpgradeExchange;
  readonly stream: Stream;
  readonly maxUrls: number;
  readonly log: Logger;
}

/** Reads what the client of a WebSocket says: `{"subscribe":url,"since":id}`, `{"unsubscribe":url}`. */
export class SocketSession {
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /**
   * One text message. Whatever is wrong with it is told to the client, and ends nothing.
   *
   * @param tell - Sends a text that is no event.
   */
  read(text: string, tell: (text: string) => void): void {
    let url: string | undefined;
    try {
      const wish = parseWish(text);
      url = wish.url;
      if (wish.kind === 'subscribe') this.#subscribe(wish.url, wish.since);
      else this.#unsubscribe(wish.url);
    } catch (error) {
      const { code, cause } = asProxyError(error, 'INTERNAL');
      if (code === 'INTERNAL') this.#options.log.error({ err: cause }, 'bug');
      const data = errorData(code);
      tell(JSON.stringify({ ...(url === undefined ? {} : { url }), event: 'error', data }));
    }
  }

  #subscribe(url: string, since: string | undefined): void {
    const { catalog, exchange, stream, maxUrls } = this.#options;
    const target = this.#target(url);
    const endpoint = catalog.endpoint(target, 'ws');
    // Once more for the same URL means: from this cursor.
    stream.remove(toldAs(target, endpoint));
    if (stream.size >= maxUrls) throw new ProxyError('TOO_MANY_URLS');
    stream.add(catalog.subscription(exchange, endpoint, target, [since]));
  }

  #unsubscribe(url: string): void {
    const { catalog, stream } = this.#options;
    const target = this.#target(url);
    stream.remove(toldAs(target, catalog.endpoint(target, 'ws')));
  }

  #target(url: string): string {
    return ownTarget(url, ownOrigin(this.#options.exchange.downstream));
  }
}

/** The address that the events of a URL are told under. */
function toldAs(target: string, { config, keptQuery }: Endpoint): string {
  return canonicalTarget(target, config.ignoreQuery, keptQuery);
}

interface Wish {
  readonly kind: 'subscribe' | 'unsubscribe';
  readonly url: string;
  readonly since: string | undefined;
}

/** @throws {ProxyError} `BAD_MESSAGE`. */
function parseWish(text: string): Wish {
  const message = parseObject(text);
  const since = typeof message['since'] === 'string' ? parseCursor(message['since']) : undefined;
  for (const kind of ['subscribe', 'unsubscribe'] as const) {
    const url = message[kind];
    if (typeof url === 'string') return { kind, url, since };
  }
  throw new ProxyError('BAD_MESSAGE');
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // answered below, as everything else that is no object
  }
  throw new ProxyError('BAD_MESSAGE');
}
