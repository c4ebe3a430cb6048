import type { TestContext } from 'node:test';
import type { FakeClock } from '../support/fake-clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';
import type { SiteState } from './states-site.ts';
import { startStates } from './states-site.ts';

/** A plain request, sent and perhaps held. */
export interface Asked {
  readonly answer: Promise<Response>;
  /** How long it can be held at most. */
  readonly holdMs: number;
  /** It has been answered. */
  readonly isAnswered: boolean;
  leave(): void;
}

export const EVERY_MS = 10_000;
export const HOLD_MS = 25_000;
/** Longer than a poll may be late, by its jitter. */
export const NEXT_POLL_MS = EVERY_MS * 1.1;

/** The `timeout` of the endpoint: by it the timer of a poll that is under way is known. */
const TIMEOUT_MS = 600_000;

/** A fake clock that tells what it is waited for by. */
interface WatchedClock extends FakeClock {
  /** How many timers are set that were to last so long. */
  count(delayMs: number): number;
}

function createWatchedClock(): WatchedClock {
  const clock = createFakeClock();
  const delays = new Map<symbol, number>();
  return {
    now: clock.now,
    advance: clock.advance,
    get pending() {
      return clock.pending;
    },
    count: (delayMs) => [...delays.values()].filter((delay) => delay === delayMs).length,
    after(delayMs, callback) {
      const key = Symbol();
      delays.set(key, delayMs);
      const timer = clock.after(delayMs, () => {
        delays.delete(key);
        callback();
      });
      return {
        cancel() {
          delays.delete(key);
          timer.cancel();
        },
      };
    },
  };
}

/** One live endpoint, `/x`, behind a proxy whose clock the test moves. */
export async function holdingScene(
  t: TestContext,
  {
    hold: maxHold = HOLD_MS / 1_000,
    endpoint = {},
    config = {},
    state = '{"n":1}',
  }: { hold?: number; endpoint?: object; config?: object; state?: string | SiteState } = {},
) {
  const clock = createWatchedClock();
  const site = await startStates(t, { '/x': state });
  const proxy = await startTestProxy(
    t,
    {
      site: site.url,
      live: { '/x': { every: '10s', hold: `${maxHold}s`, timeout: '600s', vary: [], ...endpoint } },
      ...config,
    },
    clock,
  );

  function ask(headers: Record<string, string> = {}): Asked {
    const controller = new AbortController();
    const seconds = /\bwait=(\d+)/.exec(headers['prefer'] ?? '')?.[1] ?? maxHold;
    let isAnswered = false;
    const answer = fetch(`${proxy.url}/x`, { headers, signal: controller.signal });
    answer.then(
      () => {
        isAnswered = true;
      },
      () => undefined,
    );
    return {
      answer,
      holdMs: Math.min(Number(seconds), maxHold) * 1_000,
      get isAnswered() {
        return isAnswered;
      },
      leave: () => controller.abort(),
    };
  }

  /** The validator of the state as it is now. */
  async function etag(headers: Record<string, string> = {}): Promise<string> {
    const response = await ask(headers).answer;
    await response.arrayBuffer();
    return response.headers.get('etag') ?? '';
  }

  /** Nothing is on its way to the site or from it. */
  const isQuiet = () => clock.count(TIMEOUT_MS) === 0;

  /** Wait until all of these are held, besides so many others for the same time. */
  async function untilHeld(asked: readonly Asked[], others = 0): Promise<void> {
    const [{ holdMs } = { holdMs: 0 }] = asked;
    const isOver = () => asked.some(({ isAnswered }) => isAnswered);
    const areHeld = () => clock.count(holdMs) === others + asked.length && isQuiet();
    await until(() => areHeld() || isOver());
    if (isOver()) throw new Error('a request that was to be held has been answered');
  }

  /** A page's first poll is answered at once: only those after it can be held. */
  async function introduce(headers: Record<string, string>): Promise<void> {
    const { 'if-none-match': _tag, 'if-modified-since': _date, prefer: _wait, ...who } = headers;
    await (await ask(who).answer).arrayBuffer();
  }

  /** Ask, and wait until that is held besides so many others. */
  async function hold(headers: Record<string, string>, others = 0): Promise<Asked> {
    if (headers['prefer'] === undefined) await introduce(headers);
    const asked = ask(headers);
    await untilHeld([asked], others);
    return asked;
  }

  /** Move time on until the next poll is over. */
  async function poll(): Promise<void> {
    const before = site.polls('/x');
    await clock.advance(NEXT_POLL_MS);
    await until(() => site.polls('/x') > before && isQuiet());
  }

  /** Another state, and time until it is polled. */
  async function change(next: Parameters<typeof site.set>[1]): Promise<void> {
    site.set('/x', next);
    await poll();
  }

  return { clock, site, proxy, ask, etag, untilHeld, hold, poll, change };
}

/** Status, body and what was said of the preference. */
export async function summary(asked: Asked): Promise<[number, string, string | null]> {
  const response = await asked.answer;
  const applied = response.headers.get('preference-applied');
  return [response.status, await response.text(), applied];
}
