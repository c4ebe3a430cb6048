import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { HarEntries } from './har-entries.ts';
import { readHarEntry } from './har-entry.ts';
import { readJsonLogLine } from './json-log-line.ts';
import { splitLines } from './lines.ts';
import { readLogLine } from './log-line.ts';
import type { Seen } from './seen.ts';
import type { Traffic } from './traffic.ts';

/** What came of reading a file. */
export interface ReadOutcome {
  readonly format: 'har' | 'log' | 'empty';
  readonly read: number;
  /** Lines or entries that are no requests. */
  readonly unreadable: number;
  /** Why it could not be read to its end. */
  readonly problem?: string;
}

/** Bytes that are looked at to say what a file is. */
const HEAD_BYTES = 4_096;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Read a recording or an access log, compressed or not, as it comes: what a file is shows in its
 * first bytes, whatever its name is.
 *
 * @param name - Tells this recording's browser from those of others.
 */
export async function readTraffic(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  traffic: Pick<Traffic, 'see'>,
): Promise<ReadOutcome> {
  const counts = { read: 0, unreadable: 0 };
  const see = (seen: Seen | undefined) => {
    if (!seen) {
      counts.unreadable += 1;
      return;
    }
    counts.read += 1;
    traffic.see(seen);
  };
  let format: ReadOutcome['format'] = 'empty';
  try {
    const packed = await peek(chunks);
    const isPacked = packed.head[0] === 0x1f && packed.head[1] === 0x8b;
    const plain = isPacked ? await peek(unpacked(packed.all)) : packed;
    const text = withoutMark(plain.head).toString('utf8').trimStart();
    if (text === '') return { format, ...counts };
    format = /^\{\s*"log"\s*:/.test(text) ? 'har' : 'log';
    if (format === 'har') await readHar(plain.all, name, see);
    else await readLog(plain.all, text.startsWith('{') ? readJsonLogLine : readLogLine, see);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return { format, ...counts, problem };
  }
  return { format, ...counts };
}

async function readHar(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  see: (seen: Seen | undefined) => void,
): Promise<void> {
  const entries = new HarEntries();
  for await (const chunk of chunks) {
    for (const entry of entries.push(chunk)) {
      see(entry === undefined ? undefined : readHarEntry(entry, name));
    }
  }
  if (!entries.isWhole) throw new Error('it ends in the middle');
}

async function readLog(
  chunks: AsyncIterable<Uint8Array>,
  readLine: (line: string) => Seen | undefined,
  see: (seen: Seen | undefined) => void,
): Promise<void> {
  for await (const line of splitLines(chunks)) {
    if (line === undefined) see(undefined);
    // The application's own log stands between its access lines.
    else if (line !== '' && !isOtherLine(line)) see(readLine(line));
  }
}

function isOtherLine(line: string): boolean {
  return line.startsWith('{') && line.includes('"msg":') && !line.includes('"msg":"request"');
}

async function* unpacked(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = Readable.from(chunks, { objectMode: false });
  const gunzip = createGunzip();
  source.once('error', (error) => gunzip.destroy(error));
  try {
    yield* source.pipe(gunzip) as AsyncIterable<Uint8Array>;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

/** The first bytes, and all of them. */
async function peek(
  chunks: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: Buffer; readonly all: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < HEAD_BYTES) {
    const next = await iterator.next();
    if (next.done) break;
    first.push(next.value);
    bytes += next.value.length;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* first;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  return { head: Buffer.concat(first).subarray(0, HEAD_BYTES), all: all() };
}

function withoutMark(head: Buffer): Buffer {
  return head.indexOf(BYTE_ORDER_MARK) === 0 ? head.subarray(BYTE_ORDER_MARK.length) : head;
}
