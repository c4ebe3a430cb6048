import type { FakeTime } from './fake-time.ts';

/** What a transport does on the way to this proxy. */
export type Way = 'open' | 'closed' | 'buffered' | number;

/** A request or a connection, as the proxy sees it. */
export interface FakeConnection {
  readonly name: string;
  readonly query: URLSearchParams;
  /** Of its urls. */
  readonly wants: readonly { url: string; since: string | undefined; ticket: string | undefined }[];
  /** Whether it has not ended yet. */
  isOpen: boolean;
}

/** What the browser's side of a connection hears. */
export interface FakePeer {
  /** An envelope, or an empty text for a heartbeat. */
  say(text: string): void;
  /** All that a long poll is answered. */
  answer(events: readonly object[]): void;
  refuse(status: number, text: string, headers?: Record<string, string>): void;
  /** The connection is reset, or ended. */
  end(): void;
}

interface State {
  readonly id: string;
  readonly data: string;
}

/** A proxy that holds to the protocol, with states that a test sets. */
export class FakeProxy {
  readonly time: FakeTime;
  /** By transport; those that are not here are open. */
  readonly ways: Record<string, Way> = {};
  /** All that were asked for, in order. */
  readonly connections: FakeConnection[] = [];
  /** Addresses that are not live. */
  readonly notLive = new Set<string>();
  readonly #states = new Map<string, State>();
  readonly #open = new Map<FakeConnection, FakePeer>();
  #isDead = false;
  #count = 0;

  constructor(time: FakeTime) {
    this.time = time;
  }

  /** Connections that are open now, with their transport. */
  get open(): readonly string[] {
    return [...this.#open.keys()].map(({ name }) => name);
  }

  /** The ids of all connections' events would be unknown to the next process. */
  restart(): void {
    this.#isDead = true;
    this.cut();
    for (const [url, { data }] of [...this.#states]) this.#keep(url, data);
  }

  revive(): void {
    this.#isDead = false;
  }

  /** Refuse connections from now on. */
  die(): void {
    this.#isDead = true;
    this.cut();
  }

  /** Reset all connections. */
  cut(): void {
    for (const [connection, peer] of [...this.#open]) this.#end(connection, peer);
  }

  /** Forget the connections without a word, as a network does that has gone. */
  vanish(): void {
    for (const connection of this.#open.keys()) connection.isOpen = false;
    this.#open.clear();
  }

  /** The site has another state, of which all are told. */
  set(url: string, data: string, patch?: { readonly type: string; readonly data: unknown }): void {
    const before = this.#states.get(url)?.id;
    const state = this.#keep(url, data);
    for (const [connection, peer] of [...this.#open]) {
      for (const { url: told, since } of connection.wants) {
        if (told.split('#')[0] !== url) continue;
        const envelope =
          patch && (connection.name !== 'poll' || since === before)
            ? { contentType: patch.type, url: told, id: state.id, event: 'patch', data: patch.data }
            : snapshot(told, state);
        this.#tell(connection, peer, envelope);
      }
    }
  }

  /** Say something of an address to all. */
  say(url: string, event: string, data: object = {}): void {
    const id = this.#states.get(url)?.id;
    for (const [connection, peer] of [...this.#open]) {
      for (const { url: told } of connection.wants) {
        if (told.split('#')[0] !== url) continue;
        this.#tell(connection, peer, {
          url: told,
          event,
          data,
          ...(id === undefined ? {} : { id: event === 'stale' ? `${id}~stale` : id }),
        });
      }
    }
  }

  /** End all with the wish that they come back. */
  retry(retryMs: number): void {
    for (const [connection, peer] of [...this.#open]) {
      const word = { event: 'retry', data: { retryMs } };
      if (connection.name === 'poll') peer.answer([word]);
      else peer.say(JSON.stringify(word));
      this.#end(connection, peer);
    }
  }

  /** The browser asks. @returns called when the browser closes it. */
  connect(url: string, peer: FakePeer): () => void {
    const { pathname, searchParams } = new URL(url, 'http://site.test');
    const name = pathname.slice('/_comet/'.length);
    const connection = { name, query: searchParams, wants: wantsOf(searchParams), isOpen: true };
    this.connections.push(connection);
    this.#open.set(connection, peer);
    this.time.after(1, () => this.#accept(connection, peer));
    return () => {
      connection.isOpen = false;
      this.#open.delete(connection);
    };
  }

  #accept(connection: FakeConnection, peer: FakePeer): void {
    const { name, wants, query } = connection;
    if (!connection.isOpen) return;
    const way = this.#isDead ? 'closed' : (this.ways[name] ?? 'open');
    if (way === 'closed') return this.#end(connection, peer);
    const isBad = wants.some(({ url }) => this.notLive.has(url.split('#')[0] ?? ''));
    const status = typeof way === 'number' ? way : isBad ? 404 : 200;
    if (status !== 200) {
      this.#open.delete(connection);
      connection.isOpen = false;
      const text = isBad ? 'NOT_LIVE: this URL is not a live endpoint' : 'NO: no';
      return peer.refuse(status, text, status === 503 ? { 'Retry-After': '20' } : {});
    }
    if (way === 'buffered') return;
    if (name === 'poll') return this.#poll(connection, peer, Number(query.get('wait')));
    peer.say('');
    for (const want of wants) {
      const state = this.#stateOf(want.url);
      if (!state) continue;
      const isKnown = state.id === want.since;
      const word = { url: want.url, id: state.id, event: 'fresh', data: {} };
      peer.say(JSON.stringify(isKnown ? word : snapshot(want.url, state)));
    }
    const beat = (delayMs: number) =>
      this.time.after(delayMs, () => {
        if (!connection.isOpen) return;
        peer.say('');
        beat(15_000);
      });
    beat(500);
  }

  #poll(connection: FakeConnection, peer: FakePeer, waitSeconds: number): void {
    const { wants } = connection;
    const events = wants.flatMap(({ url, since }) => {
      const state = this.#stateOf(url);
      if (!state) return [];
      if (state.id !== since) return [snapshot(url, state)];
      return waitSeconds === 0 ? [{ url, id: state.id, event: 'fresh', data: {} }] : [];
    });
    if (events.length > 0) return this.#reply(connection, peer, events);
    this.time.after(waitSeconds * 1_000, () => this.#reply(connection, peer, []));
  }

  #reply(connection: FakeConnection, peer: FakePeer, events: readonly object[]): void {
    if (!connection.isOpen) return;
    connection.isOpen = false;
    this.#open.delete(connection);
    peer.answer(events);
  }

  #tell(connection: FakeConnection, peer: FakePeer, envelope: object): void {
    if (connection.name === 'poll') this.#reply(connection, peer, [envelope]);
    else peer.say(JSON.stringify(envelope));
  }

  #end(connection: FakeConnection, peer: FakePeer): void {
    connection.isOpen = false;
    this.#open.delete(connection);
    peer.end();
  }

  #stateOf(url: string): State | undefined {
    return this.#states.get(url.split('#')[0] ?? '');
  }

  #keep(url: string, data: string): State {
    this.#count += 1;
    const state = { id: `e-${this.#count}`, data };
    this.#states.set(url, state);
    return state;
  }
}

function snapshot(url: string, { id, data }: State): object {
  const headers = { 'content-type': 'application/json', etag: `"${id}"` };
  const contentType = 'application/json';
  return { url, id, event: 'snapshot', status: 200, headers, contentType, data };
}

function wantsOf(query: URLSearchParams): FakeConnection['wants'] {
  const wants: { url: string; since: string | undefined; ticket: string | undefined }[] = [];
  for (const [name, value] of query) {
    const last = wants.at(-1);
    if (name === 'url') wants.push({ url: value, since: undefined, ticket: undefined });
    else if (last && (name === 'since' || name === 'ticket')) last[name] = value;
  }
  return wants;
}
