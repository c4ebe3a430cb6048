import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { upgrade } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';
import { startUpstream } from '../support/upstream.ts';

const LIMITS = { sendTimeout: '300ms' };
/** More than the kernel takes for a peer that does not read. */
const BIG = Buffer.alloc(32 * 1_024 * 1_024, 'x');
const ENDLESS = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n';

for (const lenient of [false, true]) {
  for (const [name, head] of [
    ['with a length', `HTTP/1.1 200 OK\r\nContent-Length: ${BIG.length}\r\n\r\n`],
    ['without end', ENDLESS],
  ] as const) {
    test(`a client that reads nothing of an answer is cut: ${name}, lenient ${lenient}`, async (t) => {
      const upstream = await startRawUpstream(t, (peer) => {
        peer.socket.once('data', () => {
          peer.send(head);
          peer.send(BIG);
        });
      });
      const site = { url: upstream.url, lenient };
      const proxy = await startTestProxy(t, { site, limits: LIMITS });
      const client = connectRaw(t, proxy.port);
      client.send(get('/big'));
      client.socket.pause();
      await (await upstream.connection(0)).closed;
    });
  }
}

test('a client that reads slowly, but reads, gets all of it', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.end(BIG));
  const limits = { sendTimeout: '2s' };
  const proxy = await startTestProxy(t, { site: upstream.url, limits });
  const client = connectRaw(t, proxy.port);
  client.send(get('/big', 'Connection: close'));
  client.socket.on('data', () => {
    client.socket.pause();
    setTimeout(() => client.socket.resume(), 5);
  });
  assert.equal(await client.closed, 'end');
  assert.ok(client.socket.bytesRead > BIG.length, `${client.socket.bytesRead} bytes`);
});

test('an answer that the site has finished is not kept for a client that reads nothing', async (t) => {
  const size = 6 * 1_024 * 1_024;
  const upstream = await startUpstream(t, (_req, res) => res.end(BIG.subarray(0, size)));
  const proxy = await startTestProxy(t, { site: upstream.url, limits: LIMITS });
  const client = connectRaw(t, proxy.port);
  client.send(get('/big'));
  client.socket.pause();
  // Its connection is over long before the 30 s of a drain are.
  await proxy.drain();
});

test('a client that reads nothing of a rewritten answer is cut', { timeout: 30_000 }, async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => {
      peer.send('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n');
      peer.send(`${BIG.length.toString(16)}\r\n`);
      peer.send(BIG);
    });
  });
  const comet = { '/push': { origin: 'http://push.example/', rewriteUrls: true } };
  const proxy = await startTestProxy(t, { site: upstream.url, comet, limits: LIMITS });
  const client = connectRaw(t, proxy.port);
  client.send(get('/big'));
  client.socket.pause();
  await (await upstream.connection(0)).closed;
});

test('a client that reads nothing of an absorbed answer is cut', { timeout: 30_000 }, async (t) => {
  const size = 8 * 1_024 * 1_024;
  const upstream = await startUpstream(t, (_req, res) => {
    res.setHeader('content-type', 'text/plain').end(BIG.subarray(0, size));
  });
  const live = { '/state': { every: '1m', vary: [], maxBody: '16MiB' } };
  const proxy = await startTestProxy(t, { site: upstream.url, live, limits: LIMITS });
  assert.equal((await (await fetch(`${proxy.url}/state`)).text()).length, size);
  const client = connectRaw(t, proxy.port);
  client.send(get('/state'));
  client.socket.pause();
  // Its connection is over long before the 30 s of a drain are.
  await proxy.drain();
  assert.equal(upstream.requests.length, 1, 'it was absorbed');
});

test('a client that reads nothing of a refused upgrade is cut', { timeout: 30_000 }, async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => {
      peer.send(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${BIG.length}\r\n\r\n`);
      peer.send(BIG);
    });
  });
  const proxy = await startTestProxy(t, { site: upstream.url, limits: LIMITS });
  const client = connectRaw(t, proxy.port);
  client.send(upgrade());
  client.socket.pause();
  await (await upstream.connection(0)).closed;
});

test('a client that read its answer may be silent for longer afterwards', async (t) => {
  const upstream = await startUpstream(t, (req, res) => {
    if (req.url === '/big') res.end(BIG);
    else res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: a\n\n');
  });
  const limits = { sendTimeout: '1s' };
  const proxy = await startTestProxy(t, { site: upstream.url, limits });
  const socket = connect(proxy.port, '127.0.0.1');
  t.after(() => socket.destroy());
  const closed = new Promise((resolve) => socket.once('close', () => resolve('closed')));
  // The second is sent at once: its answer begins when the first one is read.
  socket.write(get('/big') + get('/events'));
  let tail = '';
  socket.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.subarray(-100).toString('latin1')).slice(-200);
  });
  await until(() => tail.includes('data: a'));
  const silent = new Promise((resolve) => setTimeout(() => resolve('open'), 2_500));
  assert.equal(await Promise.race([silent, closed]), 'open');
});
