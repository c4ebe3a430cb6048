import type { Browser } from './browser.ts';
import type { LiveStates } from './live-states.ts';
import { readTold } from './told.ts';

/** A page that is live itself. */
export interface LivePage {
  /** Its changes are shown as they come: it need not load itself again. */
  readonly isShown: boolean;
  /** It wants to be loaded again, and again after so long: what is done while nothing is pushed. */
  refreshEvery(delayMs: number): void;
}

/** Where the page does not say how often it wants to be loaded. */
const SHORTEST_RELOAD_MS = 5_000;

/** Of a `<meta>` as text: after how many seconds it loads the page again. */
export function secondsOf(html: string): number {
  const isRefresh = /<meta\s[^>]*http-equiv\s*=\s*["']?\s*refresh/i.test(html);
  const seconds = /\scontent\s*=\s*["']?\s*([\d.]+)/i.exec(html);
  // 0 is as soon as it can.
  return isRefresh && seconds ? Math.max(1, Number(seconds[1])) : 0;
}

/** What changes a page in place. */
export type Morph = (
  next: string,
  previous: string | undefined,
  options: { readonly contentType: string },
) => {
  readonly changed: number;
  /** Only a load shows the next page. */
  readonly reload?: true;
  /** With `reload`: it would take from the user what is being written. */
  readonly isEdited?: boolean;
};

/**
 * Show a page's own changes in it, where the page would load itself again and again.
 *
 * @param script - Our own tag: what it says was written by the proxy.
 */
export function showPage(
  { window }: Browser,
  script: HTMLScriptElement,
  states: LiveStates,
  morph: Morph,
): LivePage | undefined {
  const told = readTold(script.getAttribute('data-page'));
  if (!told) return undefined;
  const { document, location } = window;
  let shown: string | undefined;
  let everyMs = 0;
  let isReloading = false;
  const loadedAt = Date.now();

  const followed = states.follow(told, show);

  function show(): void {
    const { state } = followed;
    // What is still being read cannot be changed.
    if (!state || state.isBase64 || document.readyState === 'loading') return;
    // The page was loaded with what it shows first.
    const isFirst = shown === undefined && state.id === told?.id;
    const previous = shown;
    shown = state.data;
    if (isFirst || previous === shown) return;
    const outcome = morph(shown, previous, { contentType: state.contentType });
    if (!outcome.reload) return;
    // The next state is compared with what the page is.
    shown = previous;
    if (!outcome.isEdited) reloadInTime();
  }

  /** Not more often than the page would by itself. */
  function reloadInTime(): void {
    if (isReloading) return;
    isReloading = true;
    const leftMs = loadedAt + Math.max(everyMs, SHORTEST_RELOAD_MS) - Date.now();
    window.setTimeout(() => location.reload(), leftMs);
  }

  function refreshEvery(delayMs: number): void {
    if (everyMs > 0 || !(delayMs > 0)) return;
    everyMs = delayMs;
    // As the page would by itself.
    window.setInterval(() => {
      if (!followed.isLive) location.reload();
    }, delayMs);
  }

  function onRead(): void {
    show();
    // Where the proxy has put what would load the page again; it may stand behind our own tag.
    const wrapped = document.getElementsByTagName('noscript');
    for (let i = 0; i < wrapped.length; i++) {
      refreshEvery(secondsOf(wrapped[i]?.textContent || '') * 1_000);
    }
  }

  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', onRead);
  else onRead();
  refreshEvery(Number(script.getAttribute('data-refresh')) * 1_000);
  return {
    get isShown() {
      return followed.isLive && !followed.lastWord;
    },
    refreshEvery,
  };
}
