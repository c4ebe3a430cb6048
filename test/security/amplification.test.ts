import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import type { FakeClock } from '../support/fake-clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

/*
 * A request costs its sender little, and a channel costs the site polls for as long as it is open:
 * one client must not make the proxy ask the site more than the client itself could.
 */

const QUERIES = 10_000;
const CHANNELS = 100;
const POLLS_PER_SECOND = 200;
const EVERY_MS = 1_000;

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function scene(t: TestContext, endpoint: object = {}) {
  const clock = createFakeClock();
  let version = 0;
  const site = await startUpstream(t, (_req, res) => {
    version += 1;
    res.setHeader('content-type', 'application/json').end(String(version));
  });
  const live = { '/x': { every: '1s', linger: '5s', vary: [], timeout: '1h', ...endpoint } };
  const limits = { channelsPerAddress: CHANNELS, pollsPerSecond: POLLS_PER_SECOND };
  const config = { site: site.url, live, limits, admin: '127.0.0.1:0' };
  const proxy = await startTestProxy(t, config, clock);
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  t.after(() => agent.destroy());
  const ask = (target: string, headers: Record<string, string> = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const sent = request(`${proxy.url}${target}`, { agent, headers }, (res) => {
        let body = '';
        res.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        res.once('end', () => resolve({ status: res.statusCode ?? 0, body }));
      });
      sent.once('error', reject).end();
    });
  /** Channels that are open now. */
  async function channels(): Promise<number> {
    const answer = await fetch(`${proxy.adminUrl}/_comet/explain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: `${proxy.url}/x?${QUERIES}` }),
    });
    return ((await answer.json()) as { channelsOfEndpoint: number }).channelsOfEndpoint;
  }
  return { clock, site, proxy, ask, channels };
}

/** Let time pass, with the polls that fall into it. */
async function pass(clock: FakeClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) await clock.advance(100);
}

test('10,000 plain requests with different queries cost the site one request each, and 100 channels', async (t) => {
  const { clock, site, ask, channels } = await scene(t);
  // Polls wait for the budget: time has to go on.
  let isOver = false;
  const ticking = (async () => {
    while (!isOver) await clock.advance(1);
  })();
  const answers = await Promise.all(Array.from({ length: QUERIES }, (_, i) => ask(`/x?n=${i}`)));
  isOver = true;
  await ticking;
  assert.ok(answers.every(({ status }) => status === 200));
  assert.ok((await channels()) <= CHANNELS, String(await channels()));
  assert.equal(site.requests.length, QUERIES, 'one for each, polled or passed through');
  // Nobody listens: nothing is polled any more.
  await pass(clock, 10 * EVERY_MS);
  assert.equal(site.requests.length, QUERIES);
  assert.equal(await channels(), 0);
});

test('10,000 streams with different queries: 100 are opened, and polled within the budget', async (t) => {
  const { clock, site, proxy, ask, channels } = await scene(t);
  const opened: (() => void)[] = [];
  for (let i = 0; i < CHANNELS; i++) {
    await new Promise<void>((resolve, reject) => {
      const sent = request(`${proxy.url}/_comet/stream?url=/x?n=${i}`, { agent: false }, () =>
        resolve(),
      );
      sent.once('error', reject).end();
      opened.push(() => sent.on('error', () => undefined).destroy());
      t.after(() => sent.destroy());
    });
  }
  // Polls wait for the budget.
  while (site.requests.length < CHANNELS) await clock.advance(1);
  const refused = await Promise.all(
    Array.from({ length: QUERIES - CHANNELS }, (_, i) => ask(`/_comet/stream?url=/x?n=m${i}`)),
  );
  assert.ok(refused.every(({ status }) => status === 429));
  assert.match(refused[0]?.body ?? '', /^TOO_MANY_CHANNELS_FOR_ADDRESS: /);
  assert.equal(await channels(), CHANNELS);
  assert.equal(site.requests.length, CHANNELS, 'what is refused costs the site nothing');
  const seconds = 5;
  await pass(clock, seconds * EVERY_MS);
  const polls = site.requests.length - CHANNELS;
  assert.ok(polls <= CHANNELS * (seconds + 1), `${polls} polls in ${seconds} intervals`);
  for (const leave of opened) leave();
  await until(() => proxy.streamCount === 0);
  // The linger, and whatever was under way.
  await pass(clock, 6_000);
  assert.equal(await channels(), 0);
  const after = site.requests.length;
  await pass(clock, 10 * EVERY_MS);
  assert.equal(
    site.requests.length,
    after,
    'when the last has left, and a while after, it is over',
  );
});

test('cache-busters of all kinds that ignoreQuery names open one channel', async (t) => {
  const { site, ask, channels } = await scene(t, { ignoreQuery: ['_', 'nocache*'] });
  for (let i = 0; i < 100; i++) await ask(`/x?_=${i}&nocache${i}=${i}`);
  assert.equal(await channels(), 1);
  assert.equal(site.requests.length, 1);
});

test('clients that come and go at once poll no more often than one that stays', async (t) => {
  const { clock, site, proxy, ask, channels } = await scene(t);
  const reconnects = 1_000;
  for (let i = 0; i < reconnects; i++) {
    if (i % 100 === 99) await clock.advance(EVERY_MS);
    await ask('/_comet/poll?url=/x');
  }
  assert.equal(await channels(), 1);
  await until(() => proxy.streamCount === 0);
  const seconds = reconnects / 100;
  const { length: polls } = site.requests;
  assert.ok(polls <= seconds + 2, `${polls} polls in ${seconds} intervals`);
});
