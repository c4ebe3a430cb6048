import { ownOrigin } from '../shared/downstream.ts';
import { asProxyError, errorData, ProxyError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Catalog } from './catalog.ts';
import type { UpgradeExchange } from './exchange.ts';
import { refuseForgedPost } from './refusals.ts';
import type { Stream } from './stream.ts';
import type { Wish } from './stream-query.ts';
import { needsProof, readName, readWish } from './stream-query.ts';

/** What a session is made of. */
export interface SessionOptions {
  readonly catalog: Catalog;
  /** The handshake: later URLs are asked for with its credentials. */
  readonly exchange: UpgradeExchange;
  readonly stream: Stream;
  readonly maxUrls: number;
  readonly log: Logger;
}

/**
 * Reads what the client of a WebSocket says: `{"subscribe":url,"since":id}`, with `"method"`, `"body"`
 * and `"contentType"` for a poll by `POST` or a `"ticket"`, and `{"unsubscribe":url}`.
 */
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
      const message = parseMessage(text);
      url = message.wish.url;
      if (message.kind === 'subscribe') this.#subscribe(message.wish);
      else this.#unsubscribe(message.wish.url);
    } catch (error) {
      const { code, cause } = asProxyError(error, 'INTERNAL');
      if (code === 'INTERNAL') this.#options.log.error({ err: cause }, 'bug');
      const data = errorData(code);
      tell(JSON.stringify({ ...(url === undefined ? {} : { url }), event: 'error', data }));
    }
  }

  #subscribe(wish: Wish): void {
    const { catalog, exchange, stream, maxUrls } = this.#options;
    const asked = readWish(wish, ownOrigin(exchange.downstream));
    if (needsProof(asked)) refuseForgedPost(exchange, 'upgrade');
    const found = catalog.find(asked, 'ws', exchange);
    // Once more for the same URL means: from this cursor.
    const subscription = catalog.subscription(found);
    stream.remove(found.url);
    if (stream.size >= maxUrls) throw new ProxyError('TOO_MANY_URLS');
    stream.add(subscription);
  }

  #unsubscribe(url: string): void {
    const { catalog, exchange, stream } = this.#options;
    const asked = readName(url, ownOrigin(exchange.downstream));
    const addresses = catalog.addresses(asked);
    if (addresses.length === 0) throw new ProxyError('NOT_LIVE');
    for (const address of addresses) stream.remove(address);
  }
}

interface Message {
  readonly kind: 'subscribe' | 'unsubscribe';
  readonly wish: Wish;
}

const OF_URL = ['since', 'method', 'body', 'contentType', 'ticket'];

/** @throws {ProxyError} `BAD_MESSAGE`. */
function parseMessage(text: string): Message {
  const message = parseObject(text);
  const textOf = (name: string) => {
    const value = message[name];
    return typeof value === 'string' ? value : undefined;
  };
  for (const kind of ['subscribe', 'unsubscribe'] as const) {
    const url = textOf(kind);
    if (url === undefined) continue;
    const [since, method, body, contentType, ticket] = OF_URL.map(textOf);
    return { kind, wish: { url, since, method, body, contentType, ticket } };
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
