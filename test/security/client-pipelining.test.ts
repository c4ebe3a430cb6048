import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

test('a connection that carries requests without end collects nothing of them', async (t) => {
  const warnings: string[] = [];
  const onWarning = ({ name, message }: Error) => warnings.push(`${name}: ${message}`);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const upstream = await startUpstream(t, (_req, res) => res.end('ok'));
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  const batch = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(4);
  for (let i = 1; i <= 20; i++) {
    client.send(batch);
    await until(() => client.received.split('\r\n\r\nok').length - 1 === i * 4);
  }
  // Warnings are told of in a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, []);
});
