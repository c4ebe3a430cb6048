import { setTimeout as delay } from 'node:timers/promises';
import { isLastWord } from '../protocol/event.ts';
import type { TransportName } from '../protocol/surface.ts';
import { open } from '../reader/open.ts';
import type { Received } from '../reader/received.ts';
import { RefusedError } from '../reader/received.ts';
import { EXIT } from './exit.ts';

/** What `comet-proxy tail` is asked for. */
export interface TailOptions {
  /** URLs of live endpoints as a browser would ask for them, all of one origin. */
  readonly urls: readonly string[];
  readonly transport: TransportName;
  /** The cursor for the first URL. */
  readonly since: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** With what the URL is polled, by `POST`. */
  readonly body?: string | undefined;
  readonly contentType?: string | undefined;
  /** Print envelopes as lines of JSON. */
  readonly json: boolean;
  /** End after so many events. */
  readonly count: number;
  readonly reconnect: boolean;
  readonly insecure: boolean;
}

const MAX_BACKOFF_MS = 30_000;
/** Statuses that another try may change. */
const TEMPORARY = new Set([429, 502, 503, 504]);

/** Print the events of live URLs as they come. Resolves with the exit code. */
export async function tail(options: TailOptions): Promise<number> {
  const { transport, headers, insecure, body, contentType } = options;
  const parameters = {
    ...(body === undefined ? {} : { body }),
    ...(contentType === undefined ? {} : { contentType }),
  };
  const targets = options.urls.map((url) => new URL(url));
  const origin = targets[0]?.origin ?? '';
  const cursors = new Map<string, string | undefined>(
    targets.map(({ pathname, search }) => [`${pathname}${search}`, undefined]),
  );
  const [first] = cursors.keys();
  if (first !== undefined) cursors.set(first, options.since);
  const isSingle = cursors.size === 1;

  let printed = 0;
  let failures = 0;
  while (cursors.size > 0) {
    let retryMs: number | undefined;
    try {
      for await (const item of open({
        origin,
        transport,
        urls: cursors,
        headers,
        insecure,
        parameters,
      })) {
        if (item.kind === 'retry') retryMs = item.retryMs;
        else if (item.kind === 'note') console.error(`comet-proxy: ${item.text}`);
        else {
          const { event } = item;
          failures = 0;
          console.log(options.json ? JSON.stringify(event) : line(event, isSingle));
          printed += 1;
          if (printed >= options.count) return EXIT.ok;
          remember(cursors, event);
          if (cursors.size === 0) return EXIT.ok;
        }
      }
      if (isLongPoll(transport) && retryMs === undefined) continue;
      if (!options.reconnect) return EXIT.ok;
    } catch (error) {
      const isFinal = error instanceof RefusedError && !TEMPORARY.has(error.status);
      console.error(`comet-proxy: ${error instanceof Error ? messageOf(error) : error}`);
      if (isFinal || !options.reconnect) return EXIT.unavailable;
    }
    const backoffMs = Math.min(MAX_BACKOFF_MS, 1_000 * 2 ** failures) * (0.5 + Math.random() / 2);
    failures += 1;
    await delay(retryMs ?? backoffMs);
  }
  return EXIT.ok;
}

/** Keep the cursor of the event's URL; after its last word the URL is asked for no more. */
function remember(cursors: Map<string, string | undefined>, { url, id, event }: Received): void {
  // Others of the same path may look like it, so the very same one comes first.
  const isKnown = url !== undefined && cursors.has(url);
  const asked = isKnown
    ? url
    : [...cursors.keys()].find((one) => url === undefined || isSameAddress(one, url));
  if (asked === undefined) return;
  const cursor = id ?? cursors.get(asked);
  cursors.delete(asked);
  // From now on by the address that events are told under.
  if (!isLastWord({ type: event })) cursors.set(url ?? asked, cursor);
}

/** Is this what an asked address is told under: the same, less parameters that only defeat caches? */
function isSameAddress(asked: string, told: string): boolean {
  const [[path, query], [toldPath, toldQuery]] = [asked.split('?'), told.split('?')];
  const parameters = query?.split('&') ?? [];
  return (
    path === toldPath && (toldQuery?.split('&') ?? []).every((one) => parameters.includes(one))
  );
}

function isLongPoll(transport: TransportName): boolean {
  return transport === 'poll' || transport === 'jsonp';
}

function line({ url, id, event, data, encoding }: Received, isSingle: boolean): string {
  const time = new Date().toISOString().slice(11, 23);
  const where = isSingle || url === undefined ? [] : [url];
  const text =
    encoding === 'base64' && typeof data === 'string'
      ? `<${Buffer.byteLength(data, 'base64')} bytes>`
      : JSON.stringify(data);
  return [time, event.padEnd(8), id ?? '-', ...where, text].join('  ');
}

/** The causes are what a person needs: "fetch failed" says nothing. */
function messageOf(error: Error): string {
  const { message, cause } = error;
  if (message) return message;
  return cause instanceof Error
    ? cause.message
    : 'errors' in error
      ? String(error.errors)
      : error.name;
}
