import type { TestContext } from 'node:test';
import type { Client, Wanted } from './clients.ts';
import { isLongPoll, isStream } from './clients.ts';
import type { Heard, Told } from './heard.ts';
import { readPolls } from './read-polls.ts';
import { readSocket } from './read-socket.ts';
import { readStream } from './read-stream.ts';
import type { Site } from './site.ts';

/** How reading ended. */
export interface Ending {
  /** Of a refusal, with its text. */
  readonly status?: number;
  readonly text?: string;
  readonly closeCode?: number;
  /** The connection broke, or what was read is not what it should be. */
  readonly error?: unknown;
}

/** Somebody who reads events. */
export interface Reader {
  /** Everything heard so far. */
  readonly heard: readonly Heard[];
  /** The events of that. */
  readonly events: readonly Told[];
  readonly heartbeats: number;
  /** The next event that was not taken yet; rejects when reading ends before it. */
  next(): Promise<Told>;
  readonly ended: Promise<Ending>;
  /** Requests that were sent. */
  readonly requests: number;
  /** The head of the answer is there. */
  readonly isOpen: boolean;
  /** `Content-Encoding` of the answer. */
  readonly coding: string | undefined;
  /** What has arrived of the body, before it was decompressed. */
  wire(): Buffer;
  /** Take no more bytes from the connection. */
  pause(): void;
  resume(): void;
  /** Leave, with a reset. */
  close(): void;
  /** Say something; sockets only. */
  say(message: object): void;
  /** Resolves when the proxy has read everything that was sent; of sockets only. */
  heardOut(): Promise<void>;
}

/** The part of a reader that depends on the transport. */
export type Way = Omit<Reader, 'heard' | 'events' | 'heartbeats' | 'next' | 'ended'>;

/** Where a way puts what it reads. */
export interface Inbox {
  hear(heard: Heard): void;
  end(ending: Ending): void;
}

/** How to read. */
export interface ReadOptions {
  readonly client: Client;
  /** The origin of the proxy. */
  readonly origin: string;
  readonly wanted: Wanted;
  readonly headers: Readonly<Record<string, string>>;
}

/** Begin to read these URLs from their cursors; ends with the test. */
export function read(
  t: TestContext,
  client: Client,
  { proxy }: Pick<Site, 'proxy'>,
  wanted: Wanted,
  headers: Readonly<Record<string, string>> = {},
): Reader {
  const heard: Heard[] = [];
  const waiting: { resolve: (told: Told) => void; reject: (error: Error) => void }[] = [];
  let taken = 0;
  let ending: Ending | undefined;
  let finish: (ending: Ending) => void = () => undefined;
  const ended = new Promise<Ending>((resolve) => {
    finish = resolve;
  });
  const events = () => heard.flatMap((item) => (item.kind === 'event' ? [item.told] : []));
  const serve = () => {
    if (waiting.length === 0) return;
    for (const told of events().slice(taken, taken + waiting.length)) {
      taken += 1;
      waiting.shift()?.resolve(told);
    }
    if (!ending) return;
    const error = new Error(`${client.name} ended`, { cause: ending });
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  const inbox: Inbox = {
    hear(item) {
      heard.push(item);
      serve();
    },
    end(how) {
      if (ending) return;
      ending = how;
      serve();
      finish(how);
    },
  };
  const open = isLongPoll(client) ? readPolls : isStream(client) ? readStream : readSocket;
  const way = open(inbox, { client, origin: proxy.url, wanted, headers });
  t.after(() => way.close());
  const reader: Pick<Reader, 'heard' | 'events' | 'heartbeats' | 'next' | 'ended'> = {
    heard,
    get events() {
      return events();
    },
    get heartbeats() {
      return heard.filter(({ kind }) => kind === 'heartbeat').length;
    },
    ended,
    next: () =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        serve();
      }),
  };
  return Object.defineProperties(way, Object.getOwnPropertyDescriptors(reader)) as Reader;
}
