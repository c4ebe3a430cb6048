import { OWN_PREFIX } from '../protocol/surface.ts';
import type { Natives } from './natives.ts';

/** The transports that the script can use. */
export type LinkTransport = 'sse' | 'stream' | 'ws' | 'poll';

/** What the proxy says of one address (protocol.md, 4.1, with `form=answer`). */
export interface Envelope {
  readonly event: string;
  readonly url?: string;
  readonly id?: string;
  readonly data?: unknown;
  readonly contentType?: string;
  readonly encoding?: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Who reads a transport. */
export interface Receiver {
  /** Of a long poll: it was answered. Of others: a heartbeat. */
  beat(): void;
  event(envelope: Envelope): void;
  /**
   * Nothing more comes.
   *
   * @param retryMs - The proxy has asked to come back after this time.
   * @param refusal - Why the request was refused, and would be again.
   */
  end(retryMs?: number, refusal?: string): void;
}

/** Closes what was opened; the receiver hears nothing more. */
export type Close = () => void;

interface Tools {
  readonly natives: Natives;
  /** Path and query to ask for now. */
  path(): string;
  read(envelope: Envelope): void;
  /** An empty text is a heartbeat. */
  readText(text: string): void;
  end(retryMs?: number, refusal?: string): void;
  /** A callback of the browser, while this is open; what fails in it is the end. */
  safely<T>(work: (value: T) => void): (value?: T) => void;
}

/** The shortest time between two long polls, when something was told and when nothing was. */
const POLL_SPACING_MS = { busy: 100, idle: 1_000 };

/**
 * Open a transport; the receiver is never called within this call.
 *
 * @param query - Makes what is asked for, each time that something is asked.
 */
export function openTransport(
  natives: Natives,
  name: LinkTransport,
  query: () => string,
  receiver: Receiver,
): Close {
  let isOpen = true;
  let close: Close;
  const stop = () => {
    isOpen = false;
    close();
  };
  const end: Tools['end'] = (retryMs, refusal) => {
    if (!isOpen) return;
    stop();
    receiver.end(retryMs, refusal);
  };
  const read: Tools['read'] = (envelope) => {
    const { event, data } = envelope;
    if (!isOpen) return;
    if (event === 'beat') receiver.beat();
    else if (event === 'retry') end((data as { readonly retryMs: number }).retryMs);
    else receiver.event(envelope);
  };
  const safely: Tools['safely'] = (work) => (value) => {
    try {
      if (isOpen) work(value as NonNullable<typeof value>);
    } catch {
      end();
    }
  };
  // Firefox lets a second tab wait for its cache, which the first one's stream of the same URL holds.
  const path = () => `${OWN_PREFIX}${name}?${query()}&_=${natives.random()}`;
  const readText = (text: string) => read(text ? JSON.parse(text) : { event: 'beat' });
  try {
    close = OPENERS[name]({ natives, path, read, readText, end, safely });
  } catch {
    // The browser does not have it, or a policy of the page forbids it.
    close = natives.after(0, end);
  }
  return stop;
}

const OPENERS: Readonly<Record<LinkTransport, (tools: Tools) => Close>> = {
  sse({ natives, path, safely, readText, end }) {
    const source = new natives.EventSource(path());
    const onEvent = safely((event: MessageEvent<string>) => readText(event.data));
    for (const type of 'message patch stale fresh unauthorized gone personal beat retry'.split(
      ' ',
    )) {
      source.addEventListener(type, onEvent);
    }
    // By itself it would come back with the cursors that it began with.
    source.onerror = () => end();
    return () => source.close();
  },

  ws({ natives, path, safely, readText, end }) {
    const { protocol, host } = natives.window.location;
    const socket = new natives.WebSocket(`${protocol.replace('http', 'ws')}//${host}${path()}`);
    socket.onmessage = safely((event: MessageEvent<string>) => readText(event.data));
    socket.onclose = () => end();
    return () => socket.close();
  },

  stream(tools) {
    let read = 0;
    return request(tools, (text, isWhole) => {
      for (let stop = 0; ; read = stop + 1) {
        stop = text.indexOf('\n', read);
        if (stop < 0) break;
        tools.readText(text.slice(read, stop));
      }
      if (isWhole) tools.end();
    });
  },

  poll(tools) {
    const { natives, safely, read } = tools;
    const { now } = natives;
    let close: Close;
    const ask = safely(() => {
      const askedAt = now();
      close = request(tools, (text, isWhole) => {
        if (!isWhole) return;
        const { events } = JSON.parse(text) as { readonly events: readonly Envelope[] };
        // A last word may be the end of this one: then nothing of what follows is heard.
        close = () => undefined;
        events.forEach(read);
        read({ event: 'beat' });
        const spacingMs = POLL_SPACING_MS[events.length > 0 ? 'busy' : 'idle'];
        const pauseMs = askedAt + spacingMs - now();
        // In pages that are hidden timers are late.
        if (pauseMs > 0) close = natives.after(pauseMs, ask);
        else ask();
      });
    });
    ask();
    return () => close();
  },
};

/** @param onText - Gets all of the answer that is there. */
function request(tools: Tools, onText: (text: string, isWhole: boolean) => void): Close {
  const { natives, path, safely, end } = tools;
  const xhr = new natives.XMLHttpRequest();
  let isOver = false;
  const onProgress = safely<Event>(() => {
    const { readyState, status } = xhr;
    const isWhole = readyState > 3;
    if (isOver) return;
    isOver = isWhole;
    if (status === 200) {
      if (readyState > 2) onText(xhr.responseText, isWhole);
    } else if (isWhole) {
      // Another time may change these of 4xx: too slow, too early, too often.
      const isRefused = /^4(?!08|25|29)/.test(`${status}`);
      const retryMs = status ? Number(xhr.getResponseHeader('Retry-After')) * 1_000 : 0;
      end(retryMs || undefined, isRefused ? xhr.responseText.split(':')[0] : undefined);
    }
  });
  xhr.onreadystatechange = onProgress;
  xhr.onprogress = onProgress;
  xhr.open('GET', path());
  xhr.send();
  return () => xhr.abort();
}
