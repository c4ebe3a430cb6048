import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';

const HEAD = 'HTTP/1.1 200 OK\r\n';
const CUT: Record<string, string> = {
  'a length': `${HEAD}Content-Length: 10\r\n\r\nabc`,
  'a length, Connection: close': `${HEAD}Connection: close\r\nContent-Length: 10\r\n\r\nabc`,
  'chunks, the last one missing': `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
  'chunks, Connection: close': `${HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
  'chunks, one of them short': `${HEAD}Transfer-Encoding: chunked\r\n\r\n9\r\nabc`,
  'chunks, the end cut': `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n`,
};
const GET_1_0 = 'GET /x HTTP/1.0\r\nHost: a\r\n\r\n';

for (const [framing, bytes] of Object.entries(CUT)) {
  for (const how of ['FIN', 'RST'] as const) {
    for (const request of [get('/x'), GET_1_0]) {
      const version = request.slice(7, 15);
      test(`an answer cut by the site's ${how} is cut for ${version}: ${framing}`, async (t) => {
        const upstream = await startRawUpstream(t, (peer) => {
          peer.socket.once('data', () => peer.send(bytes));
        });
        const proxy = await startTestProxy(t, { site: upstream.url });
        const client = connectRaw(t, proxy.port);
        client.send(request);
        await client.receive('abc');
        const site = await upstream.connection(0);
        if (how === 'FIN') site.socket.end();
        else site.reset();
        const answer = await readAnswer(client);
        assert.deepEqual([answer.status, answer.body.slice(0, 3)], [200, 'abc']);
        assert.equal(answer.isWhole, false);
        assert.equal(upstream.connections.length, 1, 'nothing is asked twice after the head');
      });
    }
  }
}

test('an answer that lasts as long as its connection is cut when that is reset', async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => peer.send('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc'));
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send(get('/x'));
  await client.receive('abc');
  (await upstream.connection(0)).reset();
  const answer = await readAnswer(client);
  assert.deepEqual([answer.body, answer.isWhole], ['abc', false]);
});

test('chunks that turn to garbage cut the answer', async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => {
      peer.send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
    });
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send(get('/x'));
  await client.receive('abc');
  (await upstream.connection(0)).send('zz\r\noops\r\n');
  const answer = await readAnswer(client);
  assert.deepEqual([answer.body, answer.isWhole], ['abc', false]);
});

test('half an answer to HEAD is no answer', async (t) => {
  const upstream = await startRawUpstream(t, (peer) => {
    peer.socket.once('data', () => {
      peer.send('HTTP/1.1 200 OK\r\nContent-Le');
      peer.socket.end();
    });
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send('HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n');
  const answer = await readAnswer(client, { method: 'HEAD' });
  assert.deepEqual([answer.status, answer.rest], [502, '']);
});
