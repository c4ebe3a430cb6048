import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ShadowReport } from '../../src/shared/explanation.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { SiteState, StatesSite } from './states-site.ts';
import { startStates } from './states-site.ts';

export const EVERY_MS = 10_000;
/** After this the verdict on every answer is there. */
export const PATIENCE_MS = 2.3 * EVERY_MS;

/** Longer than any test may take. */
const GIVE_UP_MS = 180_000;

/** An endpoint, `/x`, that is only tried, behind a proxy whose clock the test moves. */
export interface Trying {
  readonly clock: FakeClock;
  readonly site: StatesSite;
  readonly proxy: TestProxy;
  /** Ask as a page does. */
  ask(init?: RequestInit): Promise<{ readonly answer: Response; readonly body: string }>;
  /** From now on pages get something else than polls. */
  differ(page: SiteState, poll?: SiteState): void;
  /** What was counted. */
  report(): Promise<ShadowReport>;
  /** Wait until it was counted so often. */
  untilCounted(
    key: 'requests' | 'saved' | 'matched' | 'mismatched' | 'incomparable',
    count: number,
  ): Promise<ShadowReport>;
}

/**
 * Start it; all is closed when the test ends.
 *
 * @param question - What `explain` is asked besides the URL.
 */
export async function openTrying(
  t: TestContext,
  keys: object = {},
  { config = {}, question = {} }: { config?: object; question?: object } = {},
): Promise<Trying> {
  const clock = createFakeClock();
  const site = await startStates(t, { '/x': '{"n":1}' });
  const live = { '/x': { every: '10s', vary: [], shadow: true, ...keys } };
  const served = { site: site.url, admin: '127.0.0.1:0', inject: ['/**'], live, ...config };
  const proxy = await startTestProxy(t, served, clock);

  async function report(): Promise<ShadowReport> {
    const answer = await fetch(`${proxy.adminUrl}/_comet/explain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: `${proxy.url}/x`, ...question }),
    });
    const { shadow } = (await answer.json()) as { shadow?: ShadowReport };
    assert.ok(shadow);
    return shadow;
  }

  return {
    clock,
    site,
    proxy,
    report,
    async ask(init = {}) {
      const answer = await fetch(`${proxy.url}/x`, init);
      return { answer, body: await answer.text() };
    },
    differ(page, poll = { body: '{"n":1}' }) {
      const isPoll = (agent = '') => agent.startsWith('comet-proxy/');
      site.set('/x', ({ headers }) => (isPoll(headers['user-agent']) ? poll : page));
    },
    async untilCounted(key, count) {
      const end = performance.now() + GIVE_UP_MS;
      while (performance.now() < end) {
        const told = await report();
        const { incomparable, ...counts } = told;
        const all = Object.values(incomparable).reduce((sum, one) => sum + one, 0);
        if ({ ...counts, incomparable: all }[key] === count) return told;
      }
      throw new Error(`waited in vain for ${count} ${key}: ${JSON.stringify(await report())}`);
    },
  };
}
