import { CountedSet } from './counted-set.ts';
import { FieldValues } from './field-values.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { createKeyedHash } from './keyed-hash.ts';
import type { RequestField } from './request-fields.ts';
import { queryFields } from './request-fields.ts';
import type { Seen } from './seen.ts';
import { pathOf, Shape } from './shape.ts';
import { TopKeys } from './top-keys.ts';
import { answerCode, NOT_MODIFIED, Track } from './track.ts';

/** How much is remembered. */
export interface TrafficLimits {
  /** Kinds of requests: method, path and names of parameters. */
  readonly shapes: number;
  /** Clients of each. */
  readonly clientsPerShape: number;
  /** Requests of each of these. */
  readonly requestsPerClient: number;
  /** Numbers in all: of 8 bytes each. */
  readonly numbers: number;
  /** How long a client that is gone keeps its place from others. */
  readonly forgetAfterMs: number;
}

/** Beside a running proxy: 13 MB at most, and some of it for names. */
export const LIVE_LIMITS: TrafficLimits = {
  shapes: 2_000,
  clientsPerShape: 64,
  requestsPerClient: 32,
  numbers: 1_600_000,
  forgetAfterMs: 15 * 60_000,
};

/** Of files: 64 MB at most. */
export const FILE_LIMITS: TrafficLimits = {
  shapes: 5_000,
  clientsPerShape: 64,
  requestsPerClient: 64,
  numbers: 8_000_000,
  forgetAfterMs: Number.POSITIVE_INFINITY,
};

/** What remembering needs besides. */
export interface TrafficOptions {
  readonly limits: TrafficLimits;
  /** Random: hashes cannot be guessed without it. */
  readonly key: readonly [number, number];
  /** Whether short values of queries and bodies may be shown. */
  readonly texts: 'keep' | 'forget';
}

/** Where the traffic comes from. */
export interface TrafficSource {
  readonly kind: 'files' | 'proxy';
  readonly unreadable: number;
  /** Not all clients were looked at, but one in so many. */
  readonly oneIn?: number;
}

/** What an empty client costs, in numbers. */
const TRACK_COST = 32;
/** Of fewer requests nothing can be said. */
const FEW = 5;
/** Who has not come again for so long was a visitor. */
const GONE_MS = 120_000;
/** Longer ones are remembered by nobody. */
const MAX_PATH = 400;
const CLIENT_BITS = 65_536;
const MAX_HOSTS = 64;

/**
 * Remembers requests in bounded room, for as long as they come: the kinds that come most often, for
 * each some clients, and for each of these the last requests.
 */
export class Traffic {
  readonly #limits: TrafficLimits;
  readonly #hash: KeyedHash;
  readonly #shapes: TopKeys<Shape>;
  readonly #clients = new CountedSet(CLIENT_BITS);
  /** In the order in which they may go: those with few requests go first. */
  readonly #few = new Map<Track, Shape>();
  readonly #many = new Map<Track, Shape>();
  #numbers = 0;
  readonly values: FieldValues;
  /** Pages that were asked for, and other requests, by host. */
  readonly hosts: Map<string, { pages: number; requests: number }> = new Map();
  /** Credentials were seen, so that nobody has removed them. */
  hasCredentials = false;
  requests = 0;
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = Number.NEGATIVE_INFINITY;

  constructor({ limits, key, texts }: TrafficOptions) {
    this.#limits = limits;
    this.#hash = createKeyedHash(key);
    this.values = new FieldValues(this.#hash, 1 + (key[0] >>> 0) / 2 ** 32, texts);
    this.#shapes = new TopKeys(limits.shapes, (shape) => {
      for (const track of shape.tracks.values()) this.#forget(track);
    });
  }

  /** About how many clients there were. */
  get clients(): number {
    return this.#clients.size;
  }

  /** A short name for a text, from which nobody finds it again. */
  nameOf(text: string): string {
    return this.#hash(text).toString(36);
  }

  shapes(): Shape[] {
    return [...this.#shapes.values()];
  }

  /** Numbers that are held, by the way they are counted. */
  get room(): number {
    return this.#numbers;
  }

  see(seen: Seen): void {
    const { host, kind, atMs, target, status } = seen;
    const clientHash = this.#hash(seen.client);
    this.requests += seen.standsFor ?? 1;
    this.firstMs = Math.min(this.firstMs, atMs);
    this.lastMs = Math.max(this.lastMs, atMs);
    this.#clients.add(clientHash);
    this.#noteHost(host, kind);
    const { hasCookies, hasAuthorization, setsCookie } = seen.headers ?? {};
    if (hasCookies || hasAuthorization || setsCookie) this.hasCredentials = true;
    if (kind === 'asset' || !/^(?:GET|HEAD|POST)$/.test(seen.method)) return;
    const isAnswered = (status >= 200 && status < 300) || status === 304 || kind === 'push';
    if (!isAnswered || pathOf(target).length > MAX_PATH) return;
    const query = queryFields(target);
    const fields = seen.fields ? [...query, ...seen.fields] : query;
    const shape = this.#shapeOf(seen, fields);
    shape.note(seen, clientHash);
    this.#remember(seen, shape, fields, clientHash);
  }

  #shapeOf(seen: Seen, fields: readonly RequestField[]): Shape {
    let key = `${seen.method} ${seen.host} ${pathOf(seen.target)}`;
    for (const { where, name } of fields) key += `\n${where === 'query' ? '' : where} ${name}`;
    return this.#shapes.count(key, () => new Shape(seen, fields));
  }

  #remember(seen: Seen, shape: Shape, fields: readonly RequestField[], clientHash: number): void {
    // SECURITY: an address or a cookie is not kept, only its hash.
    let track = shape.tracks.get(clientHash);
    if (!track) {
      if (!this.#mayAdd(shape, { name: clientHash, atMs: seen.atMs })) return;
      const { requestsPerClient: capacity } = this.#limits;
      track = new Track(clientHash, { fieldCount: fields.length, capacity });
      shape.tracks.set(clientHash, track);
      this.#few.set(track, shape);
      this.#numbers += TRACK_COST;
    }
    const before = track.room;
    const { atMs, status, durationMs = Number.NaN, bytes, content } = seen;
    let times = 0;
    let fractions = 0;
    const values = fields.map((field, i) => {
      const { value, looksLike } = this.values.read(field, atMs);
      if (looksLike === 'time') times |= 1 << i;
      else if (looksLike === 'fraction') fractions |= 1 << i;
      if (field.name === '' && field.where === 'query') shape.noteBare(field.text);
      return value;
    });
    const contentHash = content === undefined ? undefined : this.#hash(content);
    const answer = status === 304 ? NOT_MODIFIED : answerCode(contentHash, bytes);
    track.add({ atMs, durationMs, bytes: bytes ?? Number.NaN, answer, times, fractions, values });
    this.#numbers += track.room - before;
    if (track.total === FEW) {
      this.#few.delete(track);
      this.#many.set(track, shape);
    }
    while (this.#numbers > this.#limits.numbers) this.#makeRoom();
  }

  /**
   * Of many clients always the same are remembered, or none would be long enough to be seen to poll:
   * those with the lowest hashes. Who came a few times only and not again, makes room for anybody.
   */
  #mayAdd(shape: Shape, { name, atMs }: { readonly name: number; readonly atMs: number }): boolean {
    const { clientsPerShape, forgetAfterMs } = this.#limits;
    if (shape.tracks.size < clientsPerShape) return true;
    shape.countClients();
    let last: Track | undefined;
    for (const track of shape.tracks.values()) {
      const isFew = track.total < FEW;
      if (atMs - track.lastMs >= (isFew ? GONE_MS : forgetAfterMs)) {
        this.#drop(track, shape);
        return true;
      }
      if (isFew && track.name > (last?.name ?? name)) last = track;
    }
    if (!last) return false;
    this.#drop(last, shape);
    return true;
  }

  #makeRoom(): void {
    const tier = this.#few.size > 0 ? this.#few : this.#many;
    for (const [track, shape] of tier) {
      if (track.wasTouched) {
        // Once more around.
        track.wasTouched = false;
        tier.delete(track);
        tier.set(track, shape);
        continue;
      }
      this.#drop(track, shape);
      return;
    }
  }

  #drop(track: Track, shape: Shape): void {
    shape.countClients();
    shape.tracks.delete(track.name);
    this.#forget(track);
  }

  #forget(track: Track): void {
    this.#numbers -= track.room + TRACK_COST;
    this.#few.delete(track);
    this.#many.delete(track);
  }

  #noteHost(host: string, kind: Seen['kind']): void {
    const known = this.hosts.get(host);
    if (!known && this.hosts.size >= MAX_HOSTS) return;
    const count = known ?? { pages: 0, requests: 0 };
    count.requests += 1;
    if (kind === 'page') count.pages += 1;
    if (!known) this.hosts.set(host, count);
  }
}
