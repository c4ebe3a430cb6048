import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { checkConfig } from '../../src/config/load.ts';
import { startProxy } from '../../src/main.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream, openLines } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

/** Longer than any of these tests may take: a drain that needs it has failed. */
const DRAIN = '1h';

test('streams end with a hint when to come back, each its own', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.end('1'));
  const live = { '/x': { every: '10s', vary: [] } };
  const proxy = await startTestProxy(t, { site: upstream.url, live, limits: { drain: DRAIN } });
  const lines = await Promise.all(
    Array.from({ length: 5 }, () =>
      openLines<{ event: string; data: { retryMs: number } }>(
        t,
        `${proxy.url}/_comet/stream?url=/x`,
      ),
    ),
  );
  for (const line of lines) await line.next();
  await proxy.drain();
  const hints = await Promise.all(lines.map((line) => line.next()));
  assert.ok(hints.every(({ event, data }) => event === 'retry' && data.retryMs >= 1_000));
  assert.ok(new Set(hints.map(({ data }) => data.retryMs)).size > 1, 'not all at one moment');
});

test('a stream that waits for its first state ends with the others', async (t) => {
  const upstream = await startUpstream(t, () => undefined);
  const live = { '/x': { every: '10s', vary: [] } };
  const proxy = await startTestProxy(t, { site: upstream.url, live, limits: { drain: DRAIN } });
  const opening = openEventStream(t, `${proxy.url}/x`);
  await until(() => upstream.requests.length > 0);
  const drained = proxy.drain();
  await (await opening).ended;
  await drained;
});

test('a connection on which nothing was ever asked does not hold the drain', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.end());
  const proxy = await startTestProxy(t, { site: upstream.url, limits: { drain: DRAIN } });
  const idle = connect(proxy.port, '127.0.0.1');
  t.after(() => idle.destroy());
  await once(idle, 'connect');
  const closed = once(idle, 'close');
  await proxy.drain();
  await closed;
});

test('an answer under way is finished whole, though the drain has begun', async (t) => {
  let finish: (() => void) | undefined;
  const upstream = await startUpstream(t, (_req, res) => {
    res.write('first ');
    finish = () => res.end('last');
  });
  const proxy = await startTestProxy(t, { site: upstream.url, limits: { drain: DRAIN } });
  const response = await fetch(proxy.url);
  const drained = proxy.drain();
  await assert.rejects(fetch(proxy.url), 'nothing new is accepted');
  finish?.();
  assert.equal(await response.text(), 'first last');
  await drained;
});

test('when one address cannot be listened on the others are given up', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.end());
  const free = await startTestProxy(t, { site: upstream.url });
  await free.close();
  const config = checkConfig(
    { site: upstream.url, listen: [`127.0.0.1:${free.port}`, `127.0.0.1:${upstream.port}`] },
    'test',
  );
  await assert.rejects(startProxy(config, { log: silentLogger }), { code: 'EADDRINUSE' });
  await assert.rejects(fetch(free.url));
});
