import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { openLines } from '../support/stream-client.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

test('a URL that always has something to say leaves the others their share', async (t) => {
  let version = 0;
  const upstream = await startUpstream(t, (req, res) => {
    version += 1;
    const size = req.url === '/big' ? 2_000_000 : 10;
    res.setHeader('content-type', 'text/plain').end(`${version}${'x'.repeat(size)}`);
  });
  const live = { '/:name': { every: '50ms', vary: [], history: 0 } };
  const proxy = await startTestProxy(t, { site: upstream.url, live });
  const socket = connect(proxy.port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write('GET /_comet/stream?url=/big&url=/small HTTP/1.1\r\nHost: x\r\n\r\n');
  // A slow connection: it takes one piece at a time, so the stream is blocked nearly always.
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    text = (text + chunk).replaceAll(/x{100,}/g, 'x');
    socket.pause();
    setImmediate(() => socket.resume());
  });
  const count = (url: string) => text.split(`{"url":"${url}"`).length - 1;
  await until(() => count('/big') >= 12);
  assert.ok(count('/small') >= 4, `${count('/small')} of /small beside ${count('/big')} of /big`);
});

test('the same URL twice in one stream is told twice', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.end('1'));
  const live = { '/x': { every: '10s', vary: [] } };
  const proxy = await startTestProxy(t, { site: upstream.url, live });
  const lines = await openLines(t, `${proxy.url}/_comet/stream?url=/x&url=/x%3F_=1`);
  assert.deepEqual([(await lines.next())['url'], (await lines.next())['url']], ['/x', '/x']);
  assert.equal(upstream.requests.length, 1);
});

test('streams that were pipelined behind an answer and left give their places back', async (t) => {
  const upstream = await startUpstream(t, (req, res) => {
    if (req.url !== '/slow') res.end('1');
  });
  const proxy = await startTestProxy(t, {
    site: upstream.url,
    live: { '/x': { every: '10s', vary: [] } },
    limits: { streamsPerAddress: 2 },
  });
  for (let i = 1; i <= 3; i++) {
    const socket = connect(proxy.port, '127.0.0.1');
    const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    socket.write(request('/slow') + request('/_comet/stream?url=/x'));
    await until(() => upstream.count('/slow') === i && upstream.count('/x') >= 1);
    socket.destroy();
    await until(() => upstream.sockets.size <= 2);
  }
  const lines = await openLines(t, `${proxy.url}/_comet/stream?url=/x`);
  assert.equal(lines.status, 200);
  assert.equal((await lines.next())['data'], '1');
});
