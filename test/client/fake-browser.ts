import type { Natives } from '../../src/client/natives.ts';
import { quiet } from '../../src/client/natives.ts';
import type { FakePeer, FakeProxy } from './fake-proxy.ts';
import type { FakeTime } from './fake-time.ts';

/** A tab, as much of it as the script uses. */
export interface FakeTab {
  readonly natives: Natives;
  /** An event of the window or the document. */
  fire(type: string): void;
  /** Nothing runs in it, but it is there; what happens meanwhile is lost to it. */
  hang(isHung: boolean): void;
  /** It is gone without having been told. */
  crash(): void;
}

/** A browser whose tabs share a network, locks and channels. */
export interface FakeBrowser {
  readonly time: FakeTime;
  readonly proxy: FakeProxy;
  /** @param missing - What the browser does not have. */
  openTab(...missing: string[]): FakeTab;
}

type Handler = (event: unknown) => void;

/** Open one without tabs. */
export function createFakeBrowser(time: FakeTime, proxy: FakeProxy): FakeBrowser {
  const locks = createLocks(time);
  const channels = new Set<FakeChannel>();

  return {
    time,
    proxy,
    openTab(...missing) {
      let isAlive = true;
      const releases: (() => void)[] = [];
      const handlers = new Map<string, Handler[]>();
      const storage: Record<string, string> = {};
      /** What is open in this tab: gone with it. */
      const closers = new Set<() => void>();

      const connect = (url: string, peer: FakePeer) => {
        const guarded = Object.fromEntries(
          Object.entries(peer).map(([name, say]) => [
            name,
            (...args: unknown[]) => isAlive && (say as (...all: unknown[]) => void)(...args),
          ]),
        ) as unknown as FakePeer;
        const close = proxy.connect(url, guarded);
        closers.add(close);
        return close;
      };

      class FakeEventSource {
        onerror: (() => void) | undefined;
        readonly #handlers = new Map<string, Handler>();
        readonly close: () => void;
        constructor(url: string) {
          this.close = connect(url, {
            say: (text) => {
              const { event = 'beat' } = text === '' ? {} : JSON.parse(text);
              const type = event === 'snapshot' ? 'message' : event;
              this.#handlers.get(type)?.({ data: text });
            },
            answer: () => undefined,
            refuse: () => this.onerror?.(),
            end: () => this.onerror?.(),
          });
        }
        addEventListener(type: string, handler: Handler): void {
          this.#handlers.set(type, handler);
        }
      }

      class FakeWebSocket {
        onmessage: Handler | undefined;
        onclose: (() => void) | undefined;
        readonly close: () => void;
        constructor(url: string) {
          this.close = connect(url, {
            say: (text) => this.onmessage?.({ data: text === '' ? '{"event":"beat"}' : text }),
            answer: () => undefined,
            refuse: () => this.onclose?.(),
            end: () => this.onclose?.(),
          });
        }
      }

      class FakeRequest {
        onreadystatechange: (() => void) | undefined;
        onprogress: (() => void) | undefined;
        readyState = 0;
        status = 0;
        responseText = '';
        #url = '';
        #headers: Record<string, string> = {};
        #close: () => void = () => undefined;
        open(_method: string, url: string): void {
          this.#url = url;
          this.#move(1);
        }
        send(): void {
          const whole = (status: number, text: string) => {
            this.status = status;
            this.responseText = text;
            this.#move(4);
          };
          this.#close = connect(this.#url, {
            say: (text) => {
              this.status = 200;
              this.responseText += `${text}\n`;
              this.#move(3);
            },
            answer: (events) => whole(200, JSON.stringify({ events })),
            refuse: (status, text, headers = {}) => {
              this.#headers = headers;
              whole(status, text);
            },
            end: () => whole(0, ''),
          });
        }
        abort(): void {
          this.#close();
          if (this.readyState > 0 && this.readyState < 4) {
            this.status = 0;
            this.#move(4);
          }
        }
        getResponseHeader(name: string): string | null {
          return this.#headers[name] ?? null;
        }
        #move(state: number): void {
          this.readyState = state;
          this.onreadystatechange?.();
          if (state > 2) this.onprogress?.();
        }
      }

      class FakeChannel2 extends FakeChannel {
        constructor() {
          super(time, channels, () => isAlive);
        }
      }

      const location = { protocol: 'https:', host: 'site.test' };
      const window = {
        location,
        performance: undefined,
        sessionStorage: storage,
        navigator: { locks: locks.of((release) => releases.push(release)) },
        BroadcastChannel: FakeChannel2,
        AbortController,
        document: {
          hidden: false,
          createElement: () => new FakeLink(location),
          createEvent: () => ({
            initCustomEvent(
              this: Record<string, unknown>,
              type: string,
              _b: boolean,
              _c: boolean,
              detail: unknown,
            ) {
              Object.assign(this, { type, detail });
            },
          }),
          dispatchEvent(event: { readonly type: string }) {
            for (const handler of handlers.get(event.type) ?? []) handler(event);
          },
        },
        addEventListener(type: string, handler: Handler) {
          handlers.set(type, [...(handlers.get(type) ?? []), handler]);
        },
      };
      for (const name of missing) {
        const owner = name === 'locks' ? window.navigator : window;
        Object.assign(owner, { [name]: undefined });
      }
      return {
        natives: {
          window: window as unknown as Natives['window'],
          now: time.now,
          random: Math.random,
          after: (delayMs, callback) => time.after(delayMs, () => isAlive && quiet(callback)()),
          XMLHttpRequest: FakeRequest as unknown as Natives['XMLHttpRequest'],
          EventSource: (missing.includes('EventSource')
            ? undefined
            : FakeEventSource) as unknown as Natives['EventSource'],
          WebSocket: FakeWebSocket as unknown as Natives['WebSocket'],
        },
        fire(type) {
          for (const handler of handlers.get(type) ?? []) handler({ type });
        },
        hang(isHung) {
          isAlive = !isHung;
        },
        crash() {
          isAlive = false;
          for (const close of closers) close();
          for (const release of releases) release();
        },
      };
    },
  };
}

class FakeLink {
  href = '';
  constructor(location: { protocol: string; host: string }) {
    const base = `${location.protocol}//${location.host}/pages/one`;
    Object.defineProperty(this, 'href', {
      set: (value: string) => {
        const { href } = new URL(value, base);
        Object.defineProperty(this, 'href', { value: href });
      },
      configurable: true,
    });
  }
}

/** Messages arrive in a later turn, as copies. */
class FakeChannel {
  onmessage: Handler | undefined;
  readonly #time: FakeTime;
  readonly #all: Set<FakeChannel>;
  readonly #isAlive: () => boolean;

  constructor(time: FakeTime, all: Set<FakeChannel>, isAlive: () => boolean) {
    this.#time = time;
    this.#all = all;
    this.#isAlive = isAlive;
    all.add(this);
  }

  postMessage(message: unknown): void {
    const text = structuredClone(message);
    for (const other of this.#all) {
      if (other === this) continue;
      this.#time.after(0, () => {
        if (this.#all.has(other) && other.#isAlive()) other.onmessage?.({ data: text });
      });
    }
  }

  close(): void {
    this.#all.delete(this);
  }
}

/** One lock, whatever it is called. */
function createLocks(time: FakeTime) {
  interface Waiting {
    readonly grant: () => void;
  }
  const queue: Waiting[] = [];
  let isHeld = false;
  const next = () => {
    if (isHeld) return;
    const first = queue.shift();
    if (!first) return;
    isHeld = true;
    time.after(0, first.grant);
  };
  return {
    of: (onHeld: (release: () => void) => void) => ({
      request(_name: string, { signal }: { signal: AbortSignal }, callback: () => Promise<void>) {
        return new Promise<void>((resolve, reject) => {
          let isOver = false;
          const release = () => {
            if (isOver) return;
            isOver = true;
            isHeld = false;
            next();
            resolve();
          };
          const entry = {
            grant() {
              onHeld(release);
              void callback().then(release);
            },
          };
          queue.push(entry);
          onHeld(() => {
            const index = queue.indexOf(entry);
            if (index >= 0) queue.splice(index, 1);
          });
          signal.addEventListener('abort', () => {
            const index = queue.indexOf(entry);
            if (index < 0) return;
            queue.splice(index, 1);
            reject(new Error('aborted'));
          });
          next();
        });
      },
    }),
  };
}
