import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFakeClock } from '../support/fake-clock.ts';
import { get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startMountScene } from './comet-mount-scene.ts';

const DAY_MS = 86_400_000;
const HEADS: Record<string, string> = {
  'an event stream': 'Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n',
  'a page that never ends': 'Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n',
  'bytes without a type': 'Transfer-Encoding: chunked\r\n',
  'bytes until the end of the connection': 'Content-Type: application/octet-stream\r\n',
  'an answer with a length': 'Content-Type: text/plain\r\nContent-Length: 6\r\n',
};
for (const [name, head] of Object.entries(HEADS)) {
  test(`what an origin streams arrives at once, and silence does not end it: ${name}`, async (t) => {
    const clock = createFakeClock();
    const { proxy, origin } = await startMountScene(t, { clock, mount: { rewriteUrls: true } });
    const client = connectRaw(t, proxy.port);
    client.send(get('/chat/stream'));
    const peer = await origin.connection(0);
    await peer.receive('\r\n\r\n');
    const isChunked = head.includes('chunked');
    const part = (text: string) => (isChunked ? `${text.length}\r\n${text}\r\n` : text);
    peer.send(`HTTP/1.1 200 OK\r\n${head}\r\n`);
    await client.receive('\r\n\r\n');
    for (const text of ['h', 'tt', 'end']) {
      await clock.advance(DAY_MS);
      peer.send(part(text));
      await client.receive(new RegExp(`${text}(?:\r\n)?$`));
    }
    if (isChunked) peer.send('0\r\n\r\n');
    else peer.socket.end();
    const answer = await readAnswer(client);
    assert.deepEqual([answer.body, answer.isWhole], ['httend', true]);
  });
}

test('a held request is held for as long as the origin likes', async (t) => {
  const clock = createFakeClock();
  const { proxy, origin } = await startMountScene(t, { clock });
  const client = connectRaw(t, proxy.port);
  client.send(get('/chat/poll'));
  const peer = await origin.connection(0);
  await peer.receive('\r\n\r\n');
  await clock.advance(DAY_MS);
  assert.equal(client.received, '');
  peer.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  assert.equal((await readAnswer(client)).body, 'ok');
});

test('a mount may have a time within which it answers', async (t) => {
  const { proxy, origin } = await startMountScene(t, { mount: { responseTimeout: '50ms' } });
  const client = connectRaw(t, proxy.port);
  client.send(get('/chat/poll'));
  assert.equal((await readAnswer(client)).status, 504);
  await (await origin.connection(0)).closed;
});

test('what a client sends reaches the origin before the rest is sent', async (t) => {
  const { proxy, origin } = await startMountScene(t);
  const client = connectRaw(t, proxy.port);
  client.send(
    'POST /chat/send HTTP/1.1\r\nHost: site.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n',
  );
  const peer = await origin.connection(0);
  await peer.receive(/^POST \/bayeux\/send HTTP\/1\.1\r\n[\s\S]*one/);
  client.send('3\r\ntwo\r\n0\r\n\r\n');
  await peer.receive(/two[\s\S]*0\r\n\r\n$/);
  peer.send('HTTP/1.1 204 No Content\r\n\r\n');
  assert.equal((await readAnswer(client)).status, 204);
});

const LEAVING: Record<string, string> = {
  'before the answer': '',
  'within a stream':
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n',
};
for (const [when, answered] of Object.entries(LEAVING)) {
  for (const how of ['reset', 'end'] as const) {
    test(`a client that leaves ${when} is gone for the origin too: ${how}`, async (t) => {
      const { proxy, origin } = await startMountScene(t);
      const client = connectRaw(t, proxy.port);
      client.send(get('/chat/stream'));
      const peer = await origin.connection(0);
      await peer.receive('\r\n\r\n');
      if (answered !== '') {
        peer.send(answered);
        await client.receive('x\r\n');
      }
      if (how === 'reset') client.reset();
      else client.socket.destroy();
      await peer.closed;
    });
  }
}

test('a stream that breaks off at the origin breaks off at the client', async (t) => {
  const { proxy, origin } = await startMountScene(t);
  const client = connectRaw(t, proxy.port);
  client.send(get('/chat/stream'));
  const peer = await origin.connection(0);
  await peer.receive('\r\n\r\n');
  peer.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
  await client.receive('abc');
  peer.reset();
  const answer = await readAnswer(client);
  assert.deepEqual([answer.body, answer.isWhole], ['abc', false]);
});
