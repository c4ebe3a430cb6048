import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';
import { startUpstream } from '../support/upstream.ts';

const BIG = randomBytes(20 * 1_024 * 1_024);
const BIG_HASH = createHash('sha256').update(BIG).digest('hex');

async function hashOf(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

for (const framing of ['Transfer-Encoding: chunked', 'Content-Length: 6', 'Connection: close']) {
  test(`the head of an answer arrives before its body: ${framing}`, async (t) => {
    const upstream = await startRawUpstream(t, (peer) => {
      peer.socket.once('data', () => peer.send(`HTTP/1.1 200 OK\r\n${framing}\r\n\r\n`));
    });
    const proxy = await startTestProxy(t, { site: upstream.url });
    const client = connectRaw(t, proxy.port);
    client.send(get('/slow'));
    assert.match(await client.receive('\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n/);
  });
}

test('each part of an answer arrives when the site has written it', async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => {
      peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    });
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send(get('/events'));
  await client.receive('\r\n\r\n');
  const site = await upstream.connection(0);
  for (const part of ['one', 'two', 'three']) {
    site.send(`${part.length}\r\n${part}\r\n`);
    await client.receive(part);
  }
  site.send('0\r\n\r\n');
  const answer = await readAnswer(client);
  assert.deepEqual([answer.body, answer.isWhole], ['onetwothree', true]);
});

for (const framing of ['Transfer-Encoding: chunked', 'Content-Length: 6']) {
  test(`each part of an upload reaches the site before the rest is sent: ${framing}`, async (t) => {
    const upstream = await startRawUpstream(t);
    const proxy = await startTestProxy(t, { site: upstream.url });
    const client = connectRaw(t, proxy.port);
    const isChunked = framing.endsWith('chunked');
    const part = (text: string) => (isChunked ? `${text.length}\r\n${text}\r\n` : text);
    client.send(`POST /up HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${part('abc')}`);
    const site = await upstream.connection(0);
    const head = await site.receive(/\r\n\r\n.*abc/s);
    assert.match(head.toLowerCase(), new RegExp(`\r\n${framing.toLowerCase()}\r\n`));
    client.send(part('def') + (isChunked ? '0\r\n\r\n' : ''));
    await site.receive(isChunked ? 'def\r\n0\r\n\r\n' : 'abcdef');
    site.send('HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n');
    assert.equal((await readAnswer(client)).status, 201);
  });
}

test('an answer may begin while the upload goes on', async (t) => {
  const upstream = await startUpstream(t, (req, res) => void req.pipe(res));
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send('POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n');
  await client.receive('3\r\none\r\n');
  client.send('3\r\ntwo\r\n');
  await client.receive('3\r\ntwo\r\n');
  client.send('0\r\n\r\n');
  assert.equal((await readAnswer(client)).body, 'onetwo');
});

for (const headers of [{}, { 'content-length': String(BIG.length) }]) {
  const name = 'content-length' in headers ? 'with a length' : 'in chunks';

  test(`20 MB come down unchanged, ${name}`, async (t) => {
    const upstream = await startUpstream(t, (_req, res) => {
      res.writeHead(200, headers);
      void pipeline(Readable.from(slices(BIG)), res);
    });
    const proxy = await startTestProxy(t, { site: upstream.url });
    const req = request(`${proxy.url}/big`, { agent: false }).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    assert.equal(await hashOf(res), BIG_HASH);
    assert.equal(res.complete, true);
  });

  test(`20 MB go up unchanged, ${name}`, async (t) => {
    const upstream = await startUpstream(t, (req, res) => {
      void hashOf(req).then((hash) => res.end(hash));
    });
    const proxy = await startTestProxy(t, { site: upstream.url });
    const req = request(`${proxy.url}/big`, { method: 'PUT', headers, agent: false });
    const answered = once(req, 'response') as Promise<[IncomingMessage]>;
    await pipeline(Readable.from(slices(BIG)), req);
    const [res] = await answered;
    assert.equal(Buffer.concat(await res.toArray()).toString(), BIG_HASH);
  });
}

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += 50_000) yield bytes.subarray(from, from + 50_000);
}

test('an answer to half an upload passes, and the connection goes on', {
  timeout: 30_000,
}, async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => {
      peer.send('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno');
    });
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send('POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n');
  client.send('x'.repeat(1_000));
  const first = await readAnswer(client);
  assert.deepEqual([first.status, first.body], [413, 'no']);
  await (await upstream.connection(0)).closed;

  // Either the client may go on here, or it was told that it may not.
  if (first.values('connection').includes('close')) return;
  const from = client.received.length;
  client.send('x'.repeat(299_000));
  client.send(get('/next'));
  assert.equal((await readAnswer(client, { from })).status, 413);
});
