import type { Hub } from './hub.ts';
import { createHub } from './hub.ts';
import type { Natives } from './natives.ts';
import { quiet } from './natives.ts';
import type { Announced, Places, Told, Vouched } from './places.ts';
import type { Close } from './transports.ts';

/** Of the lock and of the channel: tabs in which other things are said there have another one. */
const NAME = 'comet-proxy 1';
const CHECK_MS = 5_000;
const ANNOUNCE_MS = 10_000;
const SILENCE_MS = 40_000;

/**
 * One stream for all tabs of a browser: the tab that holds a lock opens it for what all of them
 * follow, and tells them over a channel. Where there are no locks (they are for secure contexts
 * only) or no channels, each tab has a stream of its own: a WebSocket if it can be, since browsers
 * open six connections for all tabs together, and WebSockets are not among them. Where it is none,
 * tabs that are hidden have no stream, so that those which are seen can load their pages.
 *
 * ```
 * following ─ lock granted ─► leading
 * following ─ asked, and no answer for ten seconds ─► alone ─ leader heard ─► following
 * any ─ pagehide, freeze ─► stopped ─ pageshow, resume ─► following
 * alone for good ─ hidden, without a WebSocket ─► stopped ─ seen ─► alone
 * ```
 *
 * @param take - Hears what is said of the places, and without a word that some time has passed.
 * @returns to be called after changes of what the page follows.
 */
export function createTabs(
  natives: Natives,
  places: Places,
  take: (word?: Told | Vouched) => void,
): () => void {
  const { now, window } = natives;
  const tab = String(natives.random());
  let isUsed = false;
  let isLeading = false;
  let hub: Hub | undefined;
  let channel: BroadcastChannel | undefined;
  let leave: Close | undefined;
  let cancelCheck: Close | undefined;
  let heardAt = 0;
  let askedAt = 0;
  let announcedAt = 0;

  const post = quiet((message: Announced | Told | Vouched) => channel?.postMessage(message));

  function announce(isNew?: boolean): void {
    announcedAt = now();
    if (hub) return hub.refresh();
    askedAt = askedAt || announcedAt;
    forget();
    post({ tab, wants: places.list.map(({ want }) => want), isNew: !!isNew });
  }

  /** What only others follow. */
  function forget(): void {
    places.list = places.list.filter(({ listeners }) => listeners.length > 0);
  }

  function hold(): void {
    hub?.close();
    for (const place of places.list) place.url = '';
    hub = createHub(
      natives,
      channel ? ['sse', 'stream', 'ws'] : ['ws', 'sse', 'stream'],
      places,
      (word) => {
        if (isLeading) post(word);
        take(word);
      },
    );
    announce();
  }

  function follow(): void {
    hub?.close();
    hub = undefined;
    forget();
  }

  function start(): void {
    isUsed = true;
    heardAt = now();
    askedAt = 0;
    let isGone = false;
    const fail = () => {
      if (!isGone) hold();
    };
    leave = () => {
      isGone = true;
    };
    try {
      const withdrawal = new window.AbortController();
      const { signal } = withdrawal;
      const { locks } = window.navigator;
      channel = locks && new window.BroadcastChannel(NAME);
      channel.onmessage = quiet(onMessage);
      leave = () => {
        isGone = true;
        withdrawal.abort();
      };
      const held = () =>
        new Promise<void>((resolve) => {
          if (isGone) return resolve();
          isLeading = true;
          leave = resolve;
          hold();
        });
      locks.request(NAME, { signal }, held).catch(fail);
      announce(true);
    } catch {
      channel?.close();
      channel = undefined;
      fail();
    }
    check();
  }

  function onMessage({ data }: MessageEvent<Announced | Told | Vouched>): void {
    if ('tab' in data) {
      if (isLeading) hub?.announce(data);
      return;
    }
    if (isLeading) return;
    askedAt = 0;
    heardAt = now();
    const isNew = !!hub || ('isNew' in data && data.isNew);
    if (hub) follow();
    take(data);
    if (isNew || heardAt - announcedAt > ANNOUNCE_MS) announce(isNew);
  }

  /** Frozen pages, and those that are kept for going back, must not hold what others need. */
  function stop(): void {
    if (!cancelCheck) return;
    cancelCheck();
    cancelCheck = undefined;
    follow();
    if (!isLeading) post({ tab, wants: [], isNew: false });
    isLeading = false;
    channel?.close();
    channel = undefined;
    leave?.();
    take({ untilMs: 0, isDown: false, isNew: false });
  }

  function check(): void {
    cancelCheck?.();
    cancelCheck = natives.after(CHECK_MS, check);
    hub?.check();
    if (channel) {
      if (hub) return take();
      if (askedAt && now() - askedAt > ANNOUNCE_MS) hold();
      else if (now() - Math.max(heardAt, announcedAt) > SILENCE_MS) announce();
    } else if (!window.document.hidden) {
      if (!hub) hold();
    } else if (hub?.isCostly()) {
      follow();
      take({ untilMs: 0, isDown: false, isNew: false });
    }
    take();
  }

  function on(types: string, listener: () => void): void {
    // By capture: some do not bubble.
    for (const type of types.split(' ')) window.addEventListener(type, quiet(listener), true);
  }

  on('pagehide freeze', stop);
  on('pageshow resume', () => isUsed && !cancelCheck && start());
  on('visibilitychange', () => cancelCheck && check());
  on('online', () => hub?.reset());

  return () => {
    if (!isUsed) start();
    else if (cancelCheck) announce();
  };
}
