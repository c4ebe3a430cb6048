import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { TRANSPORT_NAMES } from '../../src/protocol/surface.ts';
import type { FakeClock } from '../support/fake-clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import type { TestProxy } from '../support/proxy.ts';
import { startTestProxy } from '../support/proxy.ts';
import type { Upstream } from '../support/upstream.ts';
import { startUpstream } from '../support/upstream.ts';

/** How often its endpoints are polled, and how much later a poll may be by its jitter. */
export const EVERY_MS = 10_000;
export const NEXT_POLL_MS = EVERY_MS * 1.1;

/** A site with sessions before a proxy whose clock the test moves. */
export interface SessionScene {
  readonly site: Upstream;
  readonly proxy: TestProxy;
  readonly clock: FakeClock;
  /** Answers every poll and page of `/api/`: at first with who asks, and a number that grows. */
  answer: (req: IncomingMessage, res: ServerResponse) => void;
  /** Answers everything else. */
  other: (req: IncomingMessage, res: ServerResponse) => void;
  /** Polls that have reached the site. */
  readonly polls: number;
  /** Send a request through the proxy, and read its answer. */
  ask(path: string, init?: RequestInit): Promise<Response>;
}

/** Start a site that is live under `/api/:name`, private unless `endpoint` says otherwise. */
export async function startSessions(
  t: TestContext,
  config: Readonly<Record<string, unknown>> = {},
  endpoint: Readonly<Record<string, unknown>> = {},
): Promise<SessionScene> {
  const clock = createFakeClock();
  let answers = 0;
  const site = await startUpstream(t, (req, res) => {
    if (req.url?.startsWith('/api/')) scene.answer(req, res);
    else scene.other(req, res);
  });
  const shared = { every: '10s', linger: '5s', timeout: '10m', transports: TRANSPORT_NAMES };
  const live = { '/api/:name': { ...shared, vary: ['cookie:SESSION'], ...endpoint } };
  const proxy = await startTestProxy(t, { site: site.url, live, ...config }, clock);
  const scene: SessionScene = {
    site,
    proxy,
    clock,
    answer(req, res) {
      answers += 1;
      const state = { who: req.headers.cookie ?? 'nobody', n: answers };
      res.setHeader('content-type', 'application/json').end(JSON.stringify(state));
    },
    other: (_req, res) => res.end('done'),
    get polls() {
      return site.requests.filter(({ headers }) => isPoll(headers)).length;
    },
    async ask(path, init = {}) {
      const response = await fetch(`${proxy.url}${path}`, { redirect: 'manual', ...init });
      await response.arrayBuffer();
      return response;
    },
  };
  return scene;
}

function isPoll(headers: IncomingMessage['headers']): boolean {
  return headers['user-agent']?.startsWith('comet-proxy/') === true;
}
