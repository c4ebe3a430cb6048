import { CountedSet } from './counted-set.ts';
import { detach } from './detach.ts';
import type { RequestField } from './request-fields.ts';
import type { Seen } from './seen.ts';
import type { Counted } from './top-keys.ts';
import type { Track } from './track.ts';

/** A field of a kind of requests. */
export type ShapeField = Pick<RequestField, 'where' | 'name'>;

/** Names of parameters without "=", as far as they are alike. */
export interface BareName {
  readonly prefix: string;
  /** `undefined` when lengths differ. */
  readonly length: number | undefined;
}

const MAX_PAGES = 8;
const MAX_COOKIE_NAMES = 16;
const CLIENT_BITS = 2_048;

/** How often something was seen of a kind of requests. */
export interface ShapeCounts {
  headersKnown: number;
  doubtful: number;
  cookies: number;
  authorization: number;
  setsCookie: number;
  isPrivate: number;
  noStore: number;
  varies: number;
  pages: number;
  images: number;
  pushes: number;
  live: number;
  fromPages: number;
  browsers: number;
  robots: number;
  programs: number;
  referers: number;
}

/**
 * Requests of one method, host and path with the same names in their query and body; the values are
 * looked at later, when it can be said which of them matter.
 */
export class Shape implements Counted {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly fields: readonly ShapeField[];
  /** Whether bodies could be read. */
  readonly isBodyKnown: boolean;
  count = 0;
  error = 0;
  /** Requests that were not looked at, by those that stand for them. */
  standingFor = 0;
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = Number.NEGATIVE_INFINITY;
  resolutionMs = 1;
  bytes = 0;
  /** Answers whose size is known. */
  sized = 0;
  bare: BareName | undefined;
  /** Some of the clients, by name. */
  readonly tracks: Map<number, Track> = new Map();
  #counted: CountedSet | undefined;
  /** Pages that sent them. */
  readonly pages: Map<string, number> = new Map();
  readonly cookieNames: Set<string> = new Set();
  readonly counts: ShapeCounts = {
    headersKnown: 0,
    doubtful: 0,
    cookies: 0,
    authorization: 0,
    setsCookie: 0,
    isPrivate: 0,
    noStore: 0,
    varies: 0,
    pages: 0,
    images: 0,
    pushes: 0,
    live: 0,
    fromPages: 0,
    browsers: 0,
    robots: 0,
    programs: 0,
    referers: 0,
  };

  constructor(
    request: Pick<Seen, 'host' | 'method' | 'target' | 'fields'>,
    fields: readonly RequestField[],
  ) {
    this.host = detach(request.host);
    this.method = detach(request.method);
    this.path = detach(pathOf(request.target));
    this.fields = fields.map(({ where, name }) => ({ where, name: detach(name) }));
    this.isBodyKnown = request.fields !== undefined;
  }

  /** About how many clients there were. */
  get clients(): number {
    return this.#counted?.size ?? this.tracks.size;
  }

  /** From now on not every client is remembered: count them. */
  countClients(): void {
    if (this.#counted) return;
    this.#counted = new CountedSet(CLIENT_BITS);
    for (const name of this.tracks.keys()) this.#counted.add(name);
  }

  /** Note what does not depend on when the request came. */
  note(seen: Seen, clientHash: number): void {
    const { atMs, resolutionMs, bytes, kind, sender, headers, page } = seen;
    const { counts } = this;
    this.standingFor += (seen.standsFor ?? 1) - 1;
    this.firstMs = Math.min(this.firstMs, atMs);
    this.lastMs = Math.max(this.lastMs, atMs);
    this.resolutionMs = Math.max(this.resolutionMs, resolutionMs);
    this.#counted?.add(clientHash);
    if (bytes !== undefined && seen.status !== 304) {
      this.bytes += bytes;
      this.sized += 1;
    }
    if (kind === 'page') counts.pages += 1;
    else if (kind === 'image') counts.images += 1;
    else if (kind === 'push') counts.pushes += 1;
    if (seen.isLive) counts.live += 1;
    if (sender === 'page') counts.fromPages += 1;
    else if (sender === 'browser') counts.browsers += 1;
    else if (sender === 'robot') counts.robots += 1;
    else if (sender === 'program') counts.programs += 1;
    if (page !== undefined) this.#notePage(page);
    if (headers) this.#noteHeaders(headers);
  }

  /** Note the name of a parameter without "=". */
  noteBare(text: string): void {
    const { bare } = this;
    if (!bare) {
      this.bare = { prefix: detach(text), length: text.length };
      return;
    }
    let common = 0;
    while (common < bare.prefix.length && bare.prefix[common] === text[common]) common += 1;
    if (common === bare.prefix.length && bare.length === text.length) return;
    const length = bare.length === text.length ? text.length : undefined;
    this.bare = { prefix: detach(bare.prefix.slice(0, common)), length };
  }

  #notePage(page: string): void {
    this.counts.referers += 1;
    const count = this.pages.get(page);
    if (count !== undefined) this.pages.set(page, count + 1);
    else if (this.pages.size < MAX_PAGES) this.pages.set(detach(page), 1);
  }

  #noteHeaders(headers: NonNullable<Seen['headers']>): void {
    const { counts } = this;
    counts.headersKnown += 1;
    if (headers.mayLackCredentials) counts.doubtful += 1;
    if (headers.hasCookies) counts.cookies += 1;
    for (const name of headers.cookies) {
      if (this.cookieNames.size >= MAX_COOKIE_NAMES) break;
      if (!this.cookieNames.has(name)) this.cookieNames.add(detach(name));
    }
    if (headers.hasAuthorization) counts.authorization += 1;
    if (headers.setsCookie) counts.setsCookie += 1;
    if (headers.cacheControl === 'private') counts.isPrivate += 1;
    if (headers.cacheControl === 'no-store') counts.noStore += 1;
    if (headers.variesOnCredentials) counts.varies += 1;
  }
}

/** A target without its query. */
export function pathOf(target: string): string {
  const end = target.indexOf('?');
  return end === -1 ? target : target.slice(0, end);
}
