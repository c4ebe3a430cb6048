import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { answerWith, startRawUpstream } from '../support/raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const KEEP = 'GET /x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n';
const PLAIN = 'GET /x HTTP/1.0\r\nHost: a\r\n\r\n';

for (const lenient of [false, true]) {
  test(`an HTTP/1.0 client that asks for it keeps its connection: lenient ${lenient}`, async (t) => {
    const upstream = await answerWith(t, OK);
    const proxy = await startTestProxy(t, { site: { url: upstream.url, lenient } });
    const client = connectRaw(t, proxy.port);
    for (let i = 0; i < 3; i++) {
      const from = client.received.length;
      client.send(KEEP);
      const answer = await readAnswer(client, { from });
      assert.deepEqual([answer.status, answer.body], [200, 'ok']);
      assert.deepEqual(answer.values('connection'), ['keep-alive']);
      assert.deepEqual(answer.values('transfer-encoding'), []);
    }
  });

  test(`an HTTP/1.0 client that does not ask is left after its answer: lenient ${lenient}`, async (t) => {
    const upstream = await answerWith(t, OK);
    const proxy = await startTestProxy(t, { site: { url: upstream.url, lenient } });
    const client = connectRaw(t, proxy.port);
    client.send(PLAIN);
    assert.equal(await client.closed, 'end');
    const answer = await readAnswer(client);
    assert.deepEqual([answer.body, answer.rest], ['ok', '']);
    assert.deepEqual(answer.values('connection'), ['close']);
  });

  for (const [name, head] of [
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
    ['the end of the connection', 'HTTP/1.0 200 OK\r\n\r\nabc'],
  ] as const) {
    test(`an answer without a length ends an HTTP/1.0 connection, kept or not: ${name}, lenient ${lenient}`, async (t) => {
      const upstream = await startRawUpstream(t, (peer) => {
        peer.socket.once('data', () => {
          peer.send(head);
          peer.socket.end();
        });
      });
      const proxy = await startTestProxy(t, { site: { url: upstream.url, lenient } });
      for (const request of [KEEP, PLAIN]) {
        const client = connectRaw(t, proxy.port);
        client.send(request);
        assert.equal(await client.closed, 'end');
        const answer = await readAnswer(client);
        assert.deepEqual([answer.body, answer.isWhole], ['abc', true]);
        assert.deepEqual(answer.values('connection'), ['close']);
        assert.deepEqual(answer.values('transfer-encoding'), []);
        assert.deepEqual(answer.values('content-length'), []);
      }
    });
  }
}

test('the connection of an HTTP/1.0 site is not used again unless it says so', async (t) => {
  const upstream = await answerWith(t, 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const proxy = await startTestProxy(t, { site: upstream.url });
  for (let i = 0; i < 2; i++) assert.equal((await ask(t, proxy.port, get())).body, 'ok');
  assert.equal(upstream.connections.length, 2);
});

test('an HTTP/1.0 client cannot upgrade', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const lines = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  const request = ['GET /ws HTTP/1.0', 'Host: a', ...lines, key, '', ''].join('\r\n');
  const answer = await ask(t, proxy.port, request);
  assert.equal(answer.status, 200);
  assert.doesNotMatch(upstream.connections[0]?.received ?? '', /\r\nupgrade:/i);
});
