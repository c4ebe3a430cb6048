import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { TRANSPORT_NAMES } from '../../src/protocol/surface.ts';
import type { Client } from '../contract/transport/clients.ts';
import { BARE_SSE, BARE_WS, CLIENTS, isLongPoll } from '../contract/transport/clients.ts';
import { read } from '../contract/transport/reader.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { startTestProxy } from '../support/proxy.ts';
import { openLines } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startStates } from './states-site.ts';

async function scene(t: TestContext, maxStreamAge: string) {
  const clock = createFakeClock();
  const site = await startStates(t, { '/x': '1' });
  const live = { '/x': { every: '1h', vary: [], transports: TRANSPORT_NAMES } };
  const limits = { maxStreamAge };
  const proxy = await startTestProxy(t, { site: site.url, live, limits }, clock);
  return { clock, site, proxy };
}

/** Long polls are over long before. */
const STREAMS = [...Object.values(CLIENTS), BARE_SSE, BARE_WS].filter((each) => !isLongPoll(each));

/** How each says that its reader is to come back. */
function hasFarewell({ transport, isBare }: Client): boolean {
  return !isBare || transport === 'sse';
}

for (const client of STREAMS) {
  test(`${client.name}: a stream that is old ends with a hint to come back`, async (t) => {
    const { clock, proxy } = await scene(t, '10s');
    const reader = read(t, client, { proxy }, { '/x': undefined });
    await reader.next();
    await clock.advance(7_900);
    assert.equal(proxy.streamCount, 1);
    await clock.advance(3_100);
    assert.equal(proxy.streamCount, 0);
    const { closeCode, error } = await reader.ended;
    assert.equal(error, undefined, 'its end is whole');
    assert.equal(closeCode, client.transport === 'ws' ? 1012 : undefined);
    const last = reader.heard.at(-1);
    if (hasFarewell(client)) {
      assert.equal(last?.kind, 'retry');
      if (last?.kind === 'retry') assert.ok(last.retryMs >= 1_000 && last.retryMs <= 3_000);
    }
  });
}

test('who comes back with its cursor has missed nothing, and gets nothing twice', async (t) => {
  const { clock, site, proxy } = await scene(t, '10s');
  const url = `${proxy.url}/_comet/stream?url=/x`;
  const before = await openLines(t, url);
  const { id } = await before.next();
  await clock.advance(11_000);
  await before.ended;
  const other = await openLines(t, url);
  await other.next();
  site.set('/x', '2');
  await (await fetch(`${proxy.url}/x`, { method: 'POST' })).text();
  await clock.advance(1_000);
  await other.next();
  const after = await openLines(t, `${url}&since=${id}`);
  assert.equal((await after.next())['data'], 2);
  assert.equal(after.items.length, 1);
});

test('"0s" is never: a stream of a day is open still', async (t) => {
  const { clock, proxy } = await scene(t, '0s');
  const stream = await openLines(t, `${proxy.url}/_comet/stream?url=/x`);
  await stream.next();
  for (let hour = 0; hour < 24; hour++) await clock.advance(3_600_000);
  assert.equal(proxy.streamCount, 1);
});

test('streams that end at their age leave no timer and no place behind', async (t) => {
  const { clock, proxy } = await scene(t, '10s');
  const { pending } = clock;
  const lines = await openLines(t, `${proxy.url}/_comet/stream?url=/x`);
  await lines.next();
  await clock.advance(60_000);
  await lines.ended;
  await until(() => proxy.streamCount === 0);
  assert.equal(clock.pending, pending);
});
