import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:http';
import type { TestContext } from 'node:test';
import type { EventSourceMessage } from 'eventsource-parser';
import { createParser } from 'eventsource-parser';

/** A stream that a test reads item by item. */
export interface StreamClient<T> {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Everything received so far. */
  readonly items: readonly T[];
  /** The next item that was not taken yet; rejects when the stream ends before it. */
  next(): Promise<T>;
  /** Resolves when the other side has ended the stream. */
  readonly ended: Promise<void>;
  /** Leave. */
  close(): void;
}

/** Open an event stream; `items` are its events. */
export function openEventStream(
  t: TestContext,
  url: string,
  headers: Record<string, string> = {},
): Promise<StreamClient<EventSourceMessage>> {
  return open(t, url, { accept: 'text/event-stream', ...headers }, (push) => {
    const parser = createParser({ onEvent: push });
    return (text) => parser.feed(text);
  });
}

/** Open a stream of JSON lines; `items` are the parsed lines, heartbeats left out. */
export function openLines<T = Record<string, unknown>>(
  t: TestContext,
  url: string,
  headers: Record<string, string> = {},
): Promise<StreamClient<T>> {
  return open<T>(t, url, headers, (push) => {
    let rest = '';
    return (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') push(JSON.parse(line) as T);
    };
  });
}

function open<T>(
  t: TestContext,
  url: string,
  headers: Record<string, string>,
  createDecoder: (push: (item: T) => void) => (text: string) => void,
): Promise<StreamClient<T>> {
  return new Promise((resolve, reject) => {
    const req = request(url, { headers, agent: false }, (res) => {
      const items: T[] = [];
      const waiting: { resolve: (item: T) => void; reject: (error: Error) => void }[] = [];
      let taken = 0;
      let isOver = false;
      const serve = () => {
        while (waiting.length > 0 && taken < items.length) {
          waiting.shift()?.resolve(items[taken++] as T);
        }
        if (isOver)
          for (const { reject: fail } of waiting.splice(0)) fail(new Error('stream ended'));
      };
      const decode = createDecoder((item) => {
        items.push(item);
        serve();
      });
      res.setEncoding('utf8');
      res.on('data', decode);
      res.on('error', () => undefined);
      const ended = new Promise<void>((done) => {
        res.once('close', () => {
          isOver = true;
          serve();
          done();
        });
      });
      resolve({
        status: res.statusCode ?? 0,
        headers: res.headers,
        items,
        ended,
        next: () =>
          new Promise<T>((done, fail) => {
            waiting.push({ resolve: done, reject: fail });
            serve();
          }),
        close: () => req.destroy(),
      });
    });
    req.on('error', reject);
    t.after(() => req.destroy());
    req.end();
  });
}
