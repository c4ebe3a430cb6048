import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openEventStream } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

const STATE_BYTES = 1_000_000;
const CHANGES = 60;

test('a reader that stops delays nobody, holds no queue, and then gets the newest state', async (t) => {
  let version = 0;
  const upstream = await startUpstream(t, (_req, res) => {
    res.setHeader('content-type', 'text/plain').end(`${version}:${'x'.repeat(STATE_BYTES)}`);
  });
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/big': { every: '50ms', vary: [], history: 0 } },
  });

  const stopped = connect(proxy.port, '127.0.0.1');
  t.after(() => stopped.destroy());
  stopped.write('GET /big HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n');
  stopped.pause();
  const reader = await openEventStream(t, `${proxy.url}/big`);
  await until(() => proxy.streamCount === 2);
  await reader.next();

  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  for (version = 1; version <= CHANGES; version++) {
    const event = await reader.next();
    assert.equal(event.data.split(':')[0], String(version), 'the other reader misses nothing');
    (reader.items as unknown[]).fill(undefined);
  }
  version = CHANGES;
  const grownBytes = process.memoryUsage.rss() - before;
  // A queue would hold all changes; what is seen here is the garbage of both ends of the test.
  assert.ok(
    grownBytes < (CHANGES * STATE_BYTES) / 2 + 60_000_000,
    `memory grew by ${grownBytes} bytes`,
  );

  // Reading on, it finds what was under way, then the newest state and nothing in between.
  let text = '';
  stopped.setEncoding('latin1').on('data', (chunk: string) => {
    text = (text + chunk).replaceAll(/x{1000,}/g, 'x');
  });
  stopped.resume();
  await until(() => text.includes(`data: ${CHANGES}:`));
  const versions = [...text.matchAll(/data: (\d+):/g)].map(([, number]) => Number(number));
  // A few fill the kernel's buffers before the proxy can know that nobody reads.
  assert.ok(versions.length <= CHANGES / 3, `it was sent the versions ${versions}`);
});
