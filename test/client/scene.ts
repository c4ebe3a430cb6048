import type { Followed } from '../../src/client/live-states.ts';
import { createLiveStates } from '../../src/client/states.ts';
import type { FakeBrowser, FakeTab } from './fake-browser.ts';
import { createFakeBrowser } from './fake-browser.ts';
import { FakeProxy } from './fake-proxy.ts';
import { createFakeTime } from './fake-time.ts';

/** A page that follows `/state`, and what it has seen of it. */
export interface FakePage extends FakeTab {
  readonly states: ReturnType<typeof createLiveStates>;
  readonly followed: Followed;
  /** Each state that it was told of, in order. */
  readonly seen: string[];
}

/** A browser before a proxy with one live address, `/state`. */
export function createScene(): FakeBrowser {
  const time = createFakeTime();
  const proxy = new FakeProxy(time);
  proxy.set('/state', '0');
  return createFakeBrowser(time, proxy);
}

/** Open a page in a tab of its own. @param missing - What its browser does not have. */
export function openPage(browser: FakeBrowser, ticket?: string, ...missing: string[]): FakePage {
  const tab = browser.openTab(...missing);
  const states = createLiveStates(tab.natives, () => undefined);
  const seen: string[] = [];
  const followed = states.follow({ address: '/state', ticket }, () => {
    const { state } = followed;
    if (state && state.data !== seen.at(-1)) seen.push(state.data);
  });
  return { ...tab, states, followed, seen };
}

/** Longer than it takes to prove a stream, shorter than anything else. */
export const PROOF_MS = 700;

/** Pages whose stream is proven. */
export async function openLive(browser: FakeBrowser, ...missing: string[]): Promise<FakePage> {
  const page = openPage(browser, undefined, ...missing);
  await browser.time.advance(PROOF_MS);
  return page;
}

/** Of the connections that were opened, the transports. */
export function names(browser: FakeBrowser): string[] {
  return browser.proxy.connections.map(({ name }) => name);
}
