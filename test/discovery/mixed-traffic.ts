import { exponential, seededRandom } from './random.ts';

/*
 * Half an hour of a site that many people use in many ways, as an access log has it: what is polled is
 * known, and everything else must not be taken for it.
 */

/** One request of the traffic. */
export interface Happening {
  readonly atMs: number;
  readonly address: string;
  readonly userAgent: string;
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly bytes: number;
  readonly page: string | undefined;
  readonly tookMs: number;
}

/** What of it is polled: path with `:id`, how it is to be called, and how often. */
export const POLLED: readonly (readonly [request: string, kind: string, intervalMs: number])[] = [
  ['GET /api/feed', 'poll', 4_000],
  ['GET /api/orders/:id', 'poll', 10_000],
  ['GET /api/queue', 'poll', 30_400],
  ['GET /api/status', 'poll', 5_000],
  ['GET /board.php', 'refresh', 60_000],
  ['GET /camera.png', 'image', 7_000],
  ['GET /healthz', 'monitor', 10_000],
  ['POST /rpc', 'poll', 2_200],
  ['POST /session/ping', 'heartbeat', 45_000],
];

export const START_MS = Date.UTC(2026, 9, 12, 8, 0, 0);
const LENGTH_MS = 30 * 60_000;
const CLIENTS = 60;

/** A page that is open for a while. */
interface Visit {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly page: string;
}

/** All requests of all clients, by time. */
export function mixedTraffic(seed: number): Happening[] {
  const random = seededRandom(seed);
  const all: Happening[] = [];
  for (let i = 0; i < CLIENTS; i++) new Person(i, random, all).live();
  robots(random, all);
  return all.sort((a, b) => a.atMs - b.atMs);
}

/** Somebody with a browser. */
class Person {
  readonly #address: string;
  readonly #userAgent: string;
  readonly #random: () => number;
  readonly #all: Happening[];
  readonly #index: number;

  constructor(index: number, random: () => number, all: Happening[]) {
    this.#index = index;
    this.#random = random;
    this.#all = all;
    this.#address = `10.0.${index >> 4}.${(index & 15) + 1}`;
    this.#userAgent = `Mozilla/5.0 (X11; Linux x86_64; rv:1${index % 9}0.0) Gecko/20100101 Firefox`;
  }

  live(): void {
    this.#browse();
    this.#search();
    if (this.#index % 5 !== 0)
      for (const visit of this.#visits('/dashboard')) this.#dashboard(visit);
    if (this.#index % 3 === 0) for (const visit of this.#visits('/tools')) this.#tools(visit);
    if (this.#index % 6 === 1) for (const visit of this.#visits('/orders')) this.#order(visit);
    if (this.#index % 8 === 2) for (const visit of this.#visits('/board.php')) this.#board(visit);
  }

  /** Pages open and close, and are loaded again; a quarter of the people has two tabs. */
  #visits(page: string): Visit[] {
    const visits: Visit[] = [];
    const tabs = this.#index % 4 === 3 ? 2 : 1;
    for (let tab = 0; tab < tabs; tab++) {
      let fromMs = START_MS + this.#random() * 120_000;
      while (fromMs < START_MS + LENGTH_MS - 180_000) {
        const untilMs = fromMs + 180_000 + exponential(this.#random, 600_000);
        visits.push({ fromMs, untilMs: Math.min(untilMs, START_MS + LENGTH_MS), page });
        fromMs = untilMs + 1_000 + exponential(this.#random, 60_000);
      }
    }
    return visits;
  }

  #dashboard(visit: Visit): void {
    this.#load(visit.page, visit.fromMs);
    const isHidden = this.#index % 7 === 4;
    const time = (atMs: number) => `/api/status?_=${Math.round(atMs) + 137}`;
    this.#every(visit, 5_000, (atMs) => this.#get(time(atMs), atMs, visit, 1_200), isHidden);
    this.#every(visit, 30_400, (atMs) => this.#get('/api/queue', atMs, visit, 640), isHidden);
    this.#every(visit, 7_000, (atMs) => {
      this.#get(`/camera.png?_=${Math.round(atMs)}`, atMs, visit, 40_000);
    });
    this.#every(visit, 45_000, (atMs) => this.#post('/session/ping', atMs, visit, 2));
  }

  #tools(visit: Visit): void {
    this.#load(visit.page, visit.fromMs);
    this.#every(visit, 2_200, (atMs) => this.#post('/rpc', atMs, visit, 800));
    let last = 1_000 + Math.floor(this.#random() * 50);
    this.#every(visit, 4_000, (atMs) => {
      this.#get(`/api/feed?since=${last}`, atMs, visit, 90);
      if (this.#random() < 0.3) last += 1 + Math.floor(this.#random() * 3);
    });
  }

  #order(visit: Visit): void {
    const id = 1_000 + this.#index * 7;
    this.#load(`${visit.page}/${id}`, visit.fromMs);
    this.#every(visit, 10_000, (atMs) => this.#get(`/api/orders/${id}`, atMs, visit, 900));
  }

  /** A page with `<meta http-equiv=refresh>`: what is on it comes again with it. */
  #board(visit: Visit): void {
    this.#every(visit, 60_000, (atMs) => {
      this.#load('/board.php', atMs, '/board.php');
      this.#get('/board-data', atMs + 300, { ...visit, page: '/board.php' }, 3_000);
    });
  }

  /** A timer, as late as networks and busy pages make it. */
  #every(visit: Visit, intervalMs: number, tick: (atMs: number) => void, isHidden = false): void {
    let atMs = visit.fromMs + 300 + this.#random() * 400;
    // Hidden in the middle of it: browsers call timers once a minute.
    const [hideMs, showMs] = isHidden
      ? [visit.fromMs + 120_000, visit.fromMs + 420_000]
      : [Number.POSITIVE_INFINITY, 0];
    while (atMs < visit.untilMs) {
      tick(atMs + exponential(this.#random, 12));
      const isNow = atMs >= hideMs && atMs < showMs;
      atMs += isNow ? Math.max(intervalMs, 60_000) : intervalMs;
    }
  }

  #browse(): void {
    let atMs = START_MS + exponential(this.#random, 40_000);
    while (atMs < START_MS + LENGTH_MS) {
      // The start page comes often, others now and then.
      const item = 1 + Math.floor(this.#random() ** 2 * 400);
      const page = this.#random() < 0.3 ? '/' : this.#random() < 0.2 ? '/news' : `/item/${item}`;
      this.#load(page, atMs, '/');
      if (this.#random() < 0.4) this.#prefetch(atMs + 500, page);
      atMs += exponential(this.#random, 25_000);
    }
  }

  /** Links that are fetched before anybody clicks on them. */
  #prefetch(atMs: number, page: string): void {
    for (let i = 0; i < 3; i++) {
      const item = 1 + Math.floor(this.#random() * 400);
      this.#get(`/item/${item}`, atMs + i * 60, { page }, 9_000);
    }
  }

  #search(): void {
    let atMs = START_MS + exponential(this.#random, 120_000);
    while (atMs < START_MS + LENGTH_MS) {
      const word = ['order', 'pallet', 'invoice', 'customer'][Math.floor(this.#random() * 4)] ?? '';
      // Each key asks for suggestions.
      for (let length = 1; length <= word.length; length++) {
        const text = word.slice(0, length);
        this.#get(`/suggest?q=${text}`, atMs, { page: '/search' }, 300 + length);
        atMs += 90 + exponential(this.#random, 160);
      }
      this.#load(`/search?q=${word}&page=1`, atMs, '/search');
      atMs += exponential(this.#random, 120_000);
    }
  }

  #load(target: string, atMs: number, from?: string): void {
    const path = target.split('?')[0] ?? '';
    this.#get(target, atMs, { page: from }, 9_000);
    for (const asset of ['/style.css', '/app.js', '/logo.png', '/favicon.ico']) {
      const status = this.#random() < 0.7 ? 304 : 200;
      this.#push('GET', asset, atMs + 80 + this.#random() * 200, { page: path }, status, 4_000);
    }
  }

  #get(target: string, atMs: number, from: { page: string | undefined }, bytes: number): void {
    // The state changes now and then, and its size with it: the same for all at one time.
    const size = bytes + (Math.floor(atMs / 20_000) % 7);
    this.#push('GET', target, atMs, from, 200, size);
  }

  #post(target: string, atMs: number, from: { page: string | undefined }, bytes: number): void {
    this.#push('POST', target, atMs, from, 200, bytes);
  }

  #push(
    method: string,
    target: string,
    atMs: number,
    { page }: { page: string | undefined },
    status: number,
    bytes: number,
  ): void {
    if (atMs >= START_MS + LENGTH_MS) return;
    this.#all.push({
      atMs,
      address: this.#address,
      userAgent: this.#userAgent,
      method,
      target,
      status,
      bytes: status === 304 ? 0 : bytes,
      page,
      tookMs: 5 + exponential(this.#random, 10),
    });
  }
}

/** Who is no person: a probe, a crawler, and a script that copies pages one after the other. */
function robots(random: () => number, all: Happening[]): void {
  const add = (atMs: number, userAgent: string, address: string, target: string) => {
    const [status, bytes, page, tookMs] = [200, 500, undefined, 3];
    all.push({ atMs, address, userAgent, method: 'GET', target, status, bytes, page, tookMs });
  };
  for (let atMs = START_MS + 3_000; atMs < START_MS + LENGTH_MS; atMs += 10_000) {
    add(atMs + random() * 20, 'kube-probe/1.31', '10.9.0.1', '/healthz');
  }
  let item = 1;
  for (let atMs = START_MS; atMs < START_MS + LENGTH_MS; atMs += 2_000) {
    add(
      atMs,
      'Mozilla/5.0 (compatible; Walker/2.0; +http://walker.example/bot.html)',
      '66.1.1.1',
      `/item/${item}`,
    );
    add(atMs + 900, 'Mozilla/5.0 (Windows NT 10.0)', '66.1.1.2', `/archive/${item}`);
    item += 1;
  }
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** One line of a combined access log; with the microseconds of Apache's `%D` at its end if wanted. */
export function logLine(happening: Happening, duration: 'none' | 'micros' = 'none'): string {
  const { atMs, address, userAgent, method, target, status, bytes, page, tookMs } = happening;
  const date = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(date.getUTCDate())}/${MONTHS[date.getUTCMonth()]}/${date.getUTCFullYear()}`;
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
  const referer = page === undefined ? '-' : `https://shop.example${page}`;
  const line = `${address} - - [${day}:${time} +0000] "${method} ${target} HTTP/1.1" ${status} ${bytes || '-'} "${referer}" "${userAgent}"`;
  return duration === 'none' ? line : `${line} ${Math.round(tookMs * 1_000)}`;
}
