import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { checkConfig } from '../../src/config/load.ts';
import { createLivePaths } from '../../src/live/endpoint.ts';
import type { Fetch } from '../../src/poll/fetch.ts';
import { planProbe } from '../../src/probe/plan.ts';
import { probe } from '../../src/probe/probe.ts';
import { createRouter } from '../../src/server/router.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

/** A probe of these endpoints whose polls take a second each of a fake clock; `polls` has when. */
async function startProbe(t: TestContext, paths: readonly string[], waitMs: number) {
  const clock = createFakeClock();
  const polls: string[] = [];
  const fetch: Fetch = ({ target }) => {
    polls.push(`${target} ${clock.now()}`);
    const headers = new Map([['content-type', 'application/json']]);
    const answer = { status: 200, headers, setCookies: [], body: Buffer.from('{}') };
    return new Promise((resolve) => clock.after(1_000, () => resolve(answer)));
  };
  const site = await startUpstream(t, (_req, res) => res.end());
  const live = Object.fromEntries(paths.map((path) => [path, { every: '1s', vary: [] }]));
  const livePaths = createLivePaths(checkConfig({ site: site.url, live }, 'test').live);
  const unknown = { host: 'a', scheme: 'http' } as const;
  const plan = planProbe(
    livePaths,
    { urls: [], headers: [] },
    createRouter(livePaths, []),
    unknown,
  );
  const url = new URL(site.url);
  const upstream = {
    name: 'site',
    url,
    tls: { ca: undefined, serverName: '', verify: true },
    headers: ['Host', url.host],
    connectTimeoutMs: 1_000,
    headTimeoutMs: 1_000,
    lenient: false,
  };
  const sender = { upstreamHost: undefined, userAgent: 'test', via: undefined };
  const way = { fetch, sender };
  const options = { upstreams: [upstream], plan, way, rewriting: undefined, clock };
  let isOver = false;
  const report = probe(options, { headers: [], waitMs }).finally(() => {
    isOver = true;
  });
  await until(() => polls.length > 0);
  return {
    polls,
    async end() {
      while (!isOver) await clock.advance(500);
      return report;
    },
  };
}

test('all URLs are asked once, one after the other, and again when it is time', async (t) => {
  const { polls, end } = await startProbe(t, ['/a', '/b'], 5_000);
  const { endpoints } = await end();
  assert.deepEqual(polls, ['/a 0', '/b 1000', '/a 6000', '/b 7000']);
  assert.deepEqual(
    endpoints.map(({ answers }) => answers.map(({ tookMs }) => tookMs)),
    [
      [1_000, 1_000],
      [1_000, 1_000],
    ],
  );
  assert.equal(endpoints[0]?.findings.change[0]?.text, 'none within 5s');
});

test('without a pause the second polls follow the first', async (t) => {
  const { polls, end } = await startProbe(t, ['/a', '/b'], 0);
  await end();
  assert.deepEqual(polls, ['/a 0', '/b 1000', '/a 2000', '/b 3000']);
});
