import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { RawHeaders } from '../shared/raw-headers.ts';
import { headerValue, headerValues } from '../shared/raw-headers.ts';
import type { Exchange } from './exchange.ts';

/** A page that has not asked again for so long may be another one, shown out of a cache. */
const MEMORY_MS = 60_000;
const MAX_CLIENTS = 10_000;
const MAX_CHANNELS = 100;

/**
 * Which clients' pages have been answered since they were loaded.
 *
 * The validator of a page's first poll may be its browser's: the cache has the state, the page has
 * nothing yet. Only the polls after that one can wait.
 */
export class Acquaintances {
  readonly #channels = new LRUCache<string, Set<string>>({ max: MAX_CLIENTS, ttl: MEMORY_MS });

  /** Nobody is known: there is nothing to forget. */
  get isEmpty(): boolean {
    return this.#channels.size === 0;
  }

  /** Has this client been answered with the state of this channel since it has loaded a page? */
  has(client: string, channel: string): boolean {
    return this.#channels.get(client)?.has(channel) ?? false;
  }

  /** It is answered now. */
  add(client: string, channel: string): void {
    const known = this.#channels.get(client) ?? new Set();
    if (known.size >= MAX_CHANNELS) known.clear();
    this.#channels.set(client, known.add(channel));
  }

  /** It loads a page, or has left one. */
  forget(client: string): void {
    this.#channels.delete(client);
  }
}

/** As far as it can be told which browser asks: a wrong guess only shortens a hold. */
export function clientKey({ req, downstream }: Exchange): string {
  const names = ['user-agent', 'cookie', 'authorization'];
  const headers = names.map((name) => headerValues(req.rawHeaders, name));
  const parts = JSON.stringify([downstream.address, headers]);
  return createHash('sha256').update(parts).digest('base64');
}

/** Is this a browser that loads a page (Fetch Metadata; older ones say what they can show)? */
export function loadsPage(headers: RawHeaders): boolean {
  const mode = headerValue(headers, 'sec-fetch-mode');
  if (mode !== undefined) return mode === 'navigate';
  return headerValue(headers, 'accept')?.includes('text/html') ?? false;
}
