import type { Natives } from './natives.ts';
import { quiet } from './natives.ts';
import type { Close, Envelope, LinkTransport } from './transports.ts';
import { openTransport } from './transports.ts';

/** Whom a link is for. */
export interface LinkHooks {
  /** What to ask for by this transport; empty: nothing. */
  query(name: LinkTransport): string;
  event(envelope: Envelope): void;
  /**
   * How long, by the wall clock, what has been told may be taken for true; 0 when nothing may, as
   * the stream begins again or has broken.
   *
   * @param isDown - It does not get through.
   */
  vouch(untilMs: number, isDown: boolean): void;
  /** What was asked for is refused for good: ask for something else. */
  refused(code: string): void;
}

/** A way to the proxy that is opened again whenever it breaks. */
export interface Link {
  /** Begin anew with the query of now, also where it is open; a pause after a failure goes on. */
  open(): void;
  /** The network is another one: what did not work may work. */
  reset(): void;
  /** Find out whether it has been silent for too long; to be called every few seconds. */
  check(): void;
  /** It takes one of the connections that a browser has for all tabs: WebSockets do not. */
  isCostly(): boolean;
  close(): void;
}

/** Silence after which it is dead: two and a half heartbeats, or a long poll's wait and a heartbeat. */
const SILENCE_MS = { stream: 37_500, poll: 40_000 };
/** A stream that is not proven by then is not waited for. */
const PATIENCE_MS = 1_500;
const GIVE_UP_MS = 3_000;
const YOUNG_MS = 30_000;
const BAN_MS = { neverWorked: 3_600_000, diesYoung: 600_000 };
const MAX_BACKOFF_MS = 30_000;
const STORED = 'comet-bans';

/**
 * Keep one stream open by the best transport that works here.
 *
 * ```
 * closed ─ open() ─► proving ─ first heartbeat and a second one ─► live
 * proving ─ takes long, ends ─► polling too ─ stream proven ─► proving again, from the newest cursors
 * polling too ─ this transport failed twice while polls are answered ─► next transport, or polling
 * live, polling ─ ended, silent ─► waiting ─ backoff, or when the proxy has said ─► proving
 * ```
 *
 * A transport fails twice before it is given up, for an hour: once may have been the proxy, just
 * starting again. While a long poll goes on, events of a stream that is being proven are left alone:
 * nobody could say which of the two is ahead.
 *
 * @param order - Streams, the best first.
 */
export function createLink(
  natives: Natives,
  order: readonly LinkTransport[],
  hooks: LinkHooks,
): Link {
  const { now, window } = natives;
  /** What is open and what is waited for. */
  const open: Partial<Record<'stream' | 'poll' | 'prove' | 'giveUp' | 'retry', Close | undefined>> =
    {};
  /** When transports that do not work may be tried again, for the tab's other pages too. */
  let bans: Record<string, number> = {};
  let strikes: Record<string, number> = {};
  let deaths: Record<string, number> = {};
  /** It has been proven since the network last was another one: one heartbeat will do. */
  let trusted = '';
  let isAnswered = false;
  let failures = 0;
  let heardAt = 0;
  let silenceMs = 0;
  let onSilence: () => void;

  quiet(() => {
    bans = JSON.parse(window.sessionStorage[STORED]) || {};
  })();

  function ban(name: string, counts: Record<string, number>, forMs: number): void {
    if ((counts[name] ?? 0) < 2) return;
    counts[name] = 0;
    bans[name] = now() + forMs;
    quiet(() => {
      window.sessionStorage[STORED] = JSON.stringify(bans);
    })();
  }

  function drop(name: keyof typeof open): void {
    const close = open[name];
    open[name] = undefined;
    close?.();
  }

  function stop(): void {
    for (const name of Object.keys(open)) drop(name as keyof typeof open);
    silenceMs = 0;
  }

  function begin(): void {
    stop();
    hooks.vouch(0, failures > 0);
    if (hooks.query('poll') && !tryStream()) tryPoll();
  }

  /** @returns whether one may work. */
  function tryStream(): boolean {
    const [name] = order.filter((each) => !((bans[each] ?? 0) > now()));
    if (!name) return false;
    const startedAt = now();
    let beats = name === trusted ? 1 : 0;
    const isProven = () => beats > 1;
    const settle = () => {
      drop('prove');
      drop('giveUp');
    };
    const failed = () => {
      settle();
      drop('stream');
      strikes[name] = (strikes[name] ?? 0) + 1;
      trusted = '';
      if (open.poll && isAnswered) tryNext();
      else tryPoll();
    };
    if (!beats) open.prove = natives.after(PATIENCE_MS, tryPoll);
    open.giveUp = natives.after(Math.max(GIVE_UP_MS, 4 * rttMs(window)), failed);
    onSilence = () => {
      deaths[name] = now() - startedAt < YOUNG_MS ? (deaths[name] ?? 0) + 1 : 0;
      ban(name, deaths, BAN_MS.diesYoung);
    };
    open.stream = openTransport(natives, name, () => hooks.query(name), {
      beat() {
        beats += 1;
        if (!isProven()) return;
        trusted = name;
        if (open.poll) return begin();
        settle();
        heard(SILENCE_MS.stream);
      },
      event(envelope) {
        if (open.poll) return;
        if (isProven()) heard(SILENCE_MS.stream);
        hooks.event(envelope);
      },
      end(retryMs) {
        if (retryMs === undefined) {
          if (!isProven() || open.poll) return failed();
          onSilence();
        }
        again(retryMs);
      },
    });
    return true;
  }

  /** Long polls are answered: where a stream is not, it is the transport that does not work. */
  function tryNext(): void {
    for (const name of order) ban(name, strikes, BAN_MS.neverWorked);
    tryStream();
  }

  function tryPoll(): void {
    if (open.poll) return;
    isAnswered = false;
    // From now on its answer is waited for.
    heardAt = now();
    silenceMs = SILENCE_MS.poll;
    open.poll = openTransport(natives, 'poll', () => hooks.query('poll'), {
      beat() {
        isAnswered = true;
        heard(SILENCE_MS.poll);
        if (!open.stream) tryNext();
      },
      event: hooks.event,
      end(retryMs, refusal) {
        strikes = {};
        if (!refusal) return again(retryMs);
        stop();
        hooks.refused(refusal);
      },
    });
  }

  function heard(ms: number): void {
    failures = 0;
    silenceMs = ms;
    heardAt = now();
    hooks.vouch(heardAt + ms, false);
  }

  /** Come back, when the proxy has said so or after a pause that grows. */
  function again(retryMs?: number): void {
    stop();
    const backoffMs = natives.random() * Math.min(MAX_BACKOFF_MS, 1_000 * 2 ** failures);
    if (retryMs === undefined) failures += 1;
    hooks.vouch(0, failures > 0);
    open.retry = natives.after(retryMs ?? backoffMs, begin);
  }

  return {
    open() {
      if (!open.retry) begin();
    },
    reset() {
      bans = {};
      strikes = {};
      deaths = {};
      trusted = '';
      begin();
    },
    check() {
      // Also where the clock was put back.
      if (!silenceMs || Math.abs(now() - heardAt) <= silenceMs) return;
      if (!open.poll) onSilence();
      again();
    },
    isCostly: () => !!open.poll || (!!trusted && trusted !== 'ws'),
    close: stop,
  };
}

/** How long the site took to answer the page's own request. */
function rttMs({ performance }: Window): number {
  const { responseStart = 0, requestStart = 0 } = performance?.timing ?? {};
  return responseStart - requestStart;
}
