import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

const SUBSCRIBERS = 1_000;

test('a thousand subscribers of one public endpoint cost one poll per interval', async (t) => {
  let value = 0;
  const pollTimes: number[] = [];
  const upstream = await startUpstream(t, (_req, res) => {
    pollTimes.push(performance.now());
    res.setHeader('content-type', 'application/json').end(JSON.stringify({ value }));
  });
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/api/status': { every: '200ms', vary: [], linger: '0s' } },
  });

  const clients = await Promise.all(
    Array.from({ length: SUBSCRIBERS }, () => openEventStream(t, `${proxy.url}/api/status`)),
  );
  for (const client of clients) assert.equal((await client.next()).data, '{"value":0}');

  // Polls are counted by the gaps between them: a busy machine can stretch but not shorten them.
  const from = pollTimes.length;
  await until(() => pollTimes.length >= from + 10);
  const windowMs = (pollTimes.at(-1) ?? 0) - (pollTimes[from] ?? 0);
  const perSecond = ((pollTimes.length - 1 - from) / windowMs) * 1_000;
  assert.ok(perSecond <= 5.5, `${perSecond} polls per second`);
  assert.equal(upstream.count('/api/status'), upstream.requests.length);

  value = 1;
  const events = await Promise.all(clients.map((client) => client.next()));
  assert.ok(events.every((event) => event.data === '{"value":1}'));
  assert.equal(new Set(events.map((event) => event.id)).size, 1, 'one event, the same for all');

  for (const client of clients) client.close();
  await until(() => proxy.streamCount === 0);
  const polled = upstream.requests.length;
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // five intervals of silence
  assert.ok(upstream.requests.length <= polled + 1, 'polls stop with the last subscriber');
});
