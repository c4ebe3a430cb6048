import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { constants, inflateRawSync } from 'node:zlib';
import { compiled } from './native.ts';
import { momentIn } from './state.ts';

/** How subscribers speak to a server: see `native/client.c`. */
export interface Speech {
  readonly mode: 'stream' | 'chunks' | 'reply' | 'churn';
  /** May hold `{n}`, the number of an endpoint. */
  readonly first: string;
  /** Of a long poll: may also hold `{id}`, `{etag}`, `{modified}`. */
  readonly next?: string;
  readonly isTls?: boolean;
}

/** Who subscribes. */
export interface Crowd {
  readonly port: number;
  readonly connections: number;
  /** Connections that may be opened at once. */
  readonly atOnce: number;
  readonly endpoints: number;
  readonly speech: Speech;
}

/** One change as its receivers saw it. */
export interface SeenChange {
  /** When it was made. */
  readonly at: bigint;
  readonly count: number;
  readonly lastAt: bigint;
}

/** Only one of these may be asked at a time. */
export interface Subscribers {
  /** Resolves with the moment when all of them have had something; again after `reconnect`. */
  ready(): Promise<bigint>;
  /** Resolves when that many are without a connection. */
  lost(count: number): Promise<void>;
  reset(): void;
  reconnect(): void;
  count(): Promise<{ messages: number; opened: number }>;
  report(): Promise<SeenChange[]>;
  close(): Promise<void>;
}

const READY_MS = 60_000;

/** Can these be opened here? Gives the reason when they cannot. */
export function objectionTo(speech: Speech): string | undefined {
  const isLean = speech.isTls || compiled('client') !== undefined;
  return isLean || speech.mode === 'stream' ? undefined : 'needs the client in C';
}

/** Open a crowd, by the client in C where there is a compiler. */
export function openSubscribers(crowd: Crowd): Subscribers {
  const { speech } = crowd;
  const child = startClient(crowd);
  const told = createInterface({ input: child.stdout ?? process.stdin });
  const waiting = new Set<{ onLine(line: string): void; reject(error: Error): void }>();
  told.on('line', (line) => {
    for (const one of waiting) one.onLine(line);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
      for (const one of waiting) one.reject(new Error('the client has ended'));
    });
  });

  /** Resolves when `take` gives something for a line. */
  function hear<T>(take: (line: string) => T | undefined, withinMs = READY_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        waiting.delete(one);
      };
      const one = {
        onLine(line: string) {
          const taken = take(line);
          if (taken === undefined) return;
          settle();
          resolve(taken);
        },
        reject(error: Error) {
          settle();
          reject(error);
        },
      };
      const timer = setTimeout(() => one.reject(new Error('subscribers wait in vain')), withinMs);
      waiting.add(one);
    });
  }

  const say = (command: string) => void child.stdin?.write(`${command}\n`);
  const first = hear(readyIn);
  first.catch(() => undefined);
  let next = first;
  const { first: request, next: nextRequest = '' } = speech;
  for (const text of [request, nextRequest]) {
    child.stdin?.write(`${Buffer.byteLength(text)}\n${text}`);
  }
  return {
    ready: () => next,
    lost: (count) =>
      hear((line) => (Number(/^lost (\d+)/.exec(line)?.[1]) >= count ? true : undefined)).then(
        () => undefined,
      ),
    reset: () => say('reset'),
    reconnect() {
      next = hear(readyIn);
      next.catch(() => undefined);
      say('reconnect');
    },
    count() {
      const counted = hear((line) => {
        const match = /^count (\d+) (\d+)/.exec(line);
        return match ? { messages: Number(match[1]), opened: Number(match[2]) } : undefined;
      });
      say('count');
      return counted;
    },
    report() {
      const changes: SeenChange[] = [];
      const reported = hear((line) => {
        const match = /^change (\S+) (\d+) (\d+)/.exec(line);
        const at = match ? momentOf(match[1] ?? '', speech) : undefined;
        if (match && at !== undefined) {
          changes.push({ at, count: Number(match[2]), lastAt: BigInt(match[3] ?? 0) });
        }
        return line === 'end' ? changes : undefined;
      });
      say('report');
      return reported;
    },
    close() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

function startClient({ port, connections, atOnce, endpoints, speech }: Crowd): ChildProcess {
  const args = [port, connections, atOnce, speech.mode, endpoints].map(String);
  const native = speech.isTls ? undefined : compiled('client');
  const lean = fileURLToPath(new URL('node-client.js', import.meta.url));
  const [program, before] = native ? [native, []] : [process.execPath, [lean]];
  const more = native ? [] : [speech.isTls ? 'tls' : 'plain'];
  return spawn(program, [...before, ...args, ...more], { stdio: ['pipe', 'pipe', 'inherit'] });
}

function readyIn(line: string): bigint | undefined {
  const at = /^ready (\d+)/.exec(line)?.[1];
  return at === undefined ? undefined : BigInt(at);
}

/** What is compressed is told as it came: the deflate blocks of one change (see transport/gzip.ts). */
function momentOf(told: string, { mode }: Speech): bigint | undefined {
  if (mode !== 'chunks') return BigInt(told);
  const block = Buffer.from(told, 'hex');
  const text = inflateRawSync(block, { finishFlush: constants.Z_SYNC_FLUSH });
  return momentIn(text.toString('latin1'));
}
