import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransportName } from '../../src/protocol/surface.ts';
import { startStates } from '../flow/states-site.ts';
import { startTestProxy } from '../support/proxy.ts';
import { startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';
import { startCommand } from './command.ts';

const LIVE = { '/api/a': { every: '50ms', vary: [] } };

/** The states that were printed as lines of JSON. */
function states(stdout: string): unknown[] {
  const lines = stdout.split('\n').filter(Boolean);
  return lines.map((line) => (JSON.parse(line) as { data: unknown }).data);
}

const TRANSPORTS: readonly TransportName[] = ['sse', 'ws', 'stream', 'poll', 'multipart', 'iframe'];
for (const transport of TRANSPORTS) {
  test(`by ${transport} it comes back when the connection is cut, and repeats nothing`, async (t) => {
    const site = await startStates(t, { '/api/a': '1' });
    const proxy = await startTestProxy(t, { site: site.url, live: LIVE });
    const relay = await startRelay(t, proxy.port);
    const args = ['tail', `${relay.url}/api/a`, '-t', transport, '--json', '-n', '4'];
    const command = startCommand(t, args);
    await command.output(/"data":1\}/);
    relay.cut();
    await until(() => proxy.streamCount === 0);
    await until(() => proxy.streamCount === 1);
    site.set('/api/a', '2');
    await command.output(/"data":2\}/);
    relay.cut();
    await until(() => proxy.streamCount === 0);
    // What it misses while it is away comes as well.
    site.set('/api/a', '3');
    await command.output(/"data":3\}/);
    site.set('/api/a', '4');
    const { code, stdout } = await command.ended;
    assert.deepEqual(states(stdout), [1, 2, 3, 4]);
    assert.equal(code, 0);
  });
}

test('it comes back when the proxy has been restarted', async (t) => {
  const site = await startStates(t, { '/api/a': '1' });
  const config = { site: site.url, live: LIVE };
  const first = await startTestProxy(t, config);
  const command = startCommand(t, ['tail', `${first.url}/api/a`, '-t', 'stream', '--json']);
  await command.output(/"data":1\}/);
  await first.close();
  site.set('/api/a', '2');
  // Until it is there again, it cannot be reached.
  await command.output(/ECONNREFUSED/);
  await startTestProxy(t, { ...config, listen: `127.0.0.1:${first.port}` });
  await command.output(/"data":2\}/);
});

test('it comes back when the proxy has drained, after the time that was asked for', async (t) => {
  const site = await startStates(t, { '/api/a': '1' });
  const config = { site: site.url, live: LIVE, limits: { drain: '2s' } };
  const first = await startTestProxy(t, config);
  const command = startCommand(t, ['tail', `${first.url}/api/a`, '-t', 'ws', '--json', '-n', '2']);
  await command.output(/"data":1\}/);
  site.set('/api/a', '2');
  await first.drain();
  await startTestProxy(t, { ...config, listen: `127.0.0.1:${first.port}` });
  const { code, stdout, stderr } = await command.ended;
  assert.deepEqual([code, states(stdout).at(-1), stderr], [0, 2, '']);
});

test('with --no-reconnect it ends with the stream: 0 when it was ended, 69 when it was cut', async (t) => {
  const site = await startStates(t, { '/api/a': '1' });
  const config = { site: site.url, live: LIVE, limits: { drain: '2s' } };
  const proxy = await startTestProxy(t, config);
  const relay = await startRelay(t, proxy.port);
  const tail = (url: string) => startCommand(t, ['tail', `${url}/api/a`, '--no-reconnect']);
  const cut = tail(relay.url);
  await cut.output(/ 1\n/);
  relay.cut();
  const { code, stderr } = await cut.ended;
  assert.equal(code, 69);
  assert.match(stderr, /^comet-proxy: .+\n$/);
  const ended = tail(proxy.url);
  await ended.output(/ 1\n/);
  await proxy.drain();
  assert.deepEqual((await ended.ended).code, 0);
});

test('a site that fails for a while is told and not the end', async (t) => {
  const site = await startStates(t, { '/api/a': '1' });
  const proxy = await startTestProxy(t, { site: site.url, live: LIVE });
  const args = ['tail', `${proxy.url}/api/a`, '-t', 'poll', '--json', '-n', '4'];
  const command = startCommand(t, args);
  await command.output(/"data":1\}/);
  site.set('/api/a', { status: 500 });
  await command.output(/"stale"/);
  site.set('/api/a', '1');
  await command.output(/"fresh"/);
  site.set('/api/a', '2');
  const { stdout } = await command.ended;
  assert.deepEqual(
    states(stdout).filter((state) => typeof state === 'number'),
    [1, 2],
  );
});
