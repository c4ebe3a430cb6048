import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream } from '../support/stream-client.ts';
import { startUpstream } from '../support/upstream.ts';

const TOKEN = 'a-token-of-the-test';

test('a backend that calls refresh is polled at once, and explain tells how it goes', async (t) => {
  let version = 1;
  const upstream = await startUpstream(t, (_req, res) => {
    res.setHeader('content-type', 'application/json').end(String(version));
  });
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/api/status': { every: '1h', vary: [] } },
    admin: { address: '127.0.0.1:0', token: TOKEN },
  });
  const stream = await openEventStream(t, `${proxy.url}/api/status`);
  assert.equal((await stream.next()).data, '1');

  version = 2;
  const headers = { authorization: `Bearer ${TOKEN}` };
  const refreshed = await fetch(`${proxy.adminUrl}/_comet/refresh?url=/api/status?_=17`, {
    method: 'POST',
    headers,
  });
  assert.equal(refreshed.status, 202);
  assert.deepEqual(await refreshed.json(), { channels: 1 });
  assert.equal((await stream.next()).data, '2', 'an hour before its time');

  const asked = await fetch(`${proxy.adminUrl}/_comet/explain`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ url: `${proxy.url}/api/status` }),
  });
  const told = (await asked.json()) as Record<string, unknown>;
  assert.equal(told['route'], 'live');
  assert.equal(told['channelsOfEndpoint'], 1);
  const channel = told['channel'] as Record<string, unknown>;
  assert.deepEqual(channel['subscribers'], { 'sse-bare': 1 });
  assert.equal(channel['intervalMs'], 3_600_000);
  assert.equal((channel['lastPoll'] as Record<string, unknown>)['outcome'], 'changed');
});
