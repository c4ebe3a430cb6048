/*
 * The browser script: the page's own polls are answered from one stream. What most pages do not need
 * is loaded when it is needed.
 */
import { defineProperty, lookAt } from './browser.ts';
import { takeFetch } from './fetch.ts';
import { lazyStates } from './lazy-states.ts';
import type { LiveStates } from './live-states.ts';
import { captureNatives } from './natives.ts';
import type { LivePage } from './page.ts';
import type { PartsWindow } from './parts.ts';
import { createParts } from './parts.ts';
import { createPolls } from './polls.ts';
import { createTaking } from './taking.ts';
import { watchTimers } from './timers.ts';
import { watchImages } from './watch-images.ts';
import { takeXhr } from './xhr.ts';

type Listener = (change: unknown) => void;

/** What the part that keeps the stream brings. */
interface Link {
  readonly states: LiveStates;
  readonly comet: {
    readonly state: string;
    subscribe(url: string, listener: Listener): () => void;
  };
}

/** What the part that changes pages in place brings. */
interface Page {
  show(states: LiveStates, script: HTMLScriptElement): LivePage | undefined;
}

/** When a page that cannot be changed in place is loaded again. */
const RELOAD_MS = 10_000;

function start(script: HTMLScriptElement, page: Window & typeof globalThis & PartsWindow): void {
  const browser = lookAt(page);
  const parts = createParts(browser, script);
  parts.provide('natives', captureNatives(page));
  let link: Link | undefined;
  let livePage: LivePage | undefined;
  const useLink = (use: (link: Link) => void) =>
    parts.use<Link>('link', (part) => {
      link = part;
      use(part);
    });
  const states = lazyStates((ready) => useLink((part) => ready(part.states)));
  const timers = watchTimers(page, (delayMs) => {
    if (livePage) livePage.refreshEvery(delayMs);
    return !!livePage && livePage.isShown;
  });
  const taking = createTaking(createPolls(states, Date.now), timers);
  takeXhr(browser, taking);
  takeFetch(browser, taking);
  defineProperty(page, '__comet', { value: parts });
  parts.provide('page', { states, timers });
  watchImages(page, () => parts.use('images', () => undefined));
  const comet = {
    get state() {
      return link ? link.comet.state : 'idle';
    },
    subscribe(url: string, listener: Listener) {
      let leave: (() => void) | undefined;
      let hasLeft = false;
      useLink((part) => {
        if (!hasLeft) leave = part.comet.subscribe(url, listener);
      });
      return () => {
        hasLeft = true;
        if (leave) leave();
      };
    },
  };
  defineProperty(page, 'comet', { value: comet, writable: true, configurable: true });
  if (script.getAttribute('data-page')) {
    parts.use<Page>(
      'morph',
      (part) => {
        livePage = part.show(states, script);
      },
      // As it would have been by itself.
      () => setTimeout(() => location.reload(), RELOAD_MS),
    );
  }
}

try {
  const script = document.currentScript as HTMLScriptElement | null;
  const page: Window & typeof globalThis & PartsWindow = window;
  if (script && !page.__comet) start(script, page);
} catch {
  // The page goes on as it would without us.
}
