/*
 * The part for pages that load images again and again: what it puts together, and nothing else.
 */
import { createImages } from './images.ts';
import type { LiveStates } from './live-states.ts';
import type { PartsWindow } from './parts.ts';
import { lessQuery } from './request-key.ts';
import { stateBlob } from './state-blob.ts';
import type { PollTimer, Timers } from './timers.ts';
import { readTold } from './told.ts';

/** What the page's requests and timers go through. */
export interface PageHooks {
  readonly states: LiveStates;
  readonly timers: Timers;
}

const page: Window & typeof globalThis & PartsWindow = window;
const parts = page.__comet;
if (parts) {
  parts.use<PageHooks>('page', ({ states, timers }) => {
    /** Parameters that do not count, and the timers that load images, by path. */
    const ignored: Record<string, readonly string[]> = {};
    const loaders: Record<string, PollTimer | undefined> = {};
    const pathOf = (url: string) => url.split('?')[0] as string;

    createImages({
      addressOf(url) {
        if (timers.current) loaders[pathOf(url)] = timers.current;
        return lessQuery(url, ignored[pathOf(url)] || []);
      },
      learn(url, answer) {
        const xhr = new XMLHttpRequest();
        xhr.open('GET', url);
        xhr.onloadend = () => {
          const told = readTold(xhr.getResponseHeader('comet-live'));
          if (!told) return answer(undefined);
          ignored[pathOf(url)] = told.rule.query;
          answer(
            states.follow(told, () => {
              const loader = loaders[pathOf(url)];
              if (loader) timers.hurry(loader);
            }),
          );
        };
        xhr.send();
      },
      blobOf: stateBlob,
    });
  });
  parts.provide('images', {});
}
