/*
 * What the script uses of the browser, taken before the page's scripts run: they may put others in
 * its place, and so does the script itself.
 */

/** The browser, as the script sees it; tests give another one. */
export interface Natives {
  readonly window: Window & typeof globalThis;
  /** Wall time: a computer that slept has to notice. */
  now(): number;
  random(): number;
  /** Call back once; the result makes sure that it does not happen any more. */
  after(delayMs: number, callback: () => void): () => void;
  readonly XMLHttpRequest: typeof XMLHttpRequest;
  readonly EventSource: typeof EventSource;
  readonly WebSocket: typeof WebSocket;
}

/** A callback that keeps its own failures from the page, which goes on as it would without us. */
export function quiet<T>(work: (value: T) => void): (value?: T) => void {
  return (value) => {
    try {
      work(value as T);
    } catch {}
  };
}

/** Take what there is in this window. */
export function captureNatives(window: Window & typeof globalThis): Natives {
  const { setTimeout, clearTimeout, XMLHttpRequest, EventSource, WebSocket } = window;
  return {
    window,
    now: window.Date.now,
    random: window.Math.random,
    after(delayMs, callback) {
      const timer = setTimeout(quiet(callback), delayMs);
      return () => clearTimeout(timer);
    },
    XMLHttpRequest,
    EventSource,
    WebSocket,
  };
}
