import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { answerWith } from '../support/raw-upstream.ts';
import { begin, bugs } from './both-ends.ts';

const LENIENT = { site: { lenient: true } };
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n';
const POST = 'POST /up HTTP/1.1\r\nHost: a\r\n';

for (const [name, method, answer] of [
  ['HEAD with a length', 'HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n'],
  ['HEAD with chunks', 'HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
  [
    '204 with chunks',
    'GET',
    'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    '304 with a length',
    'GET',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "a"\r\n\r\n',
  ],
  ['304 to HEAD', 'HEAD', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
] as const) {
  test(`an answer of a lenient site without a body leaves the client's connection in order: ${name}`, async (t) => {
    const upstream = await answerWith(t, answer);
    const proxy = await startTestProxy(t, { site: { url: upstream.url, lenient: true } });
    const client = connectRaw(t, proxy.port);
    for (let i = 0; i < 3; i++) {
      const from = client.received.length;
      client.send(get().replace('GET', method));
      const got = await readAnswer(client, { method, from });
      assert.deepEqual([got.statusLine, got.body, got.rest], [answer.split('\r\n', 1)[0], '', '']);
      assert.deepEqual(got.values('transfer-encoding'), []);
    }
    assert.deepEqual(bugs(proxy), []);
  });
}

for (const [framing, bytes] of [
  ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'],
  ['chunks', CHUNKED],
  ['half a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc'],
  ['its connection', 'HTTP/1.1 200 OK\r\n\r\nabc'],
] as const) {
  for (const how of ['FIN', 'RST'] as const) {
    if (framing === 'its connection' && how === 'FIN') continue; // that is its end
    for (const request of [get(), 'GET / HTTP/1.0\r\nHost: a\r\n\r\n']) {
      const version = request.slice(6, 14);
      test(`an answer cut by a lenient site's ${how} is cut for ${version}: ${framing}`, async (t) => {
        const { client, site, upstream, proxy } = await begin(t, request, LENIENT);
        site.send(bytes);
        await client.receive('abc');
        if (how === 'FIN') site.socket.end();
        else site.reset();
        const answer = await readAnswer(client);
        assert.deepEqual([answer.status, answer.isWhole], [200, false]);
        assert.equal(upstream.connections.length, 1);
        assert.deepEqual(bugs(proxy), []);
      });
    }
  }
}

test('an answer of a lenient site that ends with its connection is whole', async (t) => {
  const { client, site } = await begin(t, get(), LENIENT);
  site.send('HTTP/1.0 200 OK\r\n\r\nabc');
  site.socket.end();
  const answer = await readAnswer(client);
  assert.deepEqual([answer.body, answer.isWhole], ['abc', true]);
});

for (const [phase, request, arrived, answer] of [
  ['before the head', get('/wait'), '\r\n\r\n', ''],
  ['within the answer', get('/wait'), '\r\n\r\n', CHUNKED],
  ['within its upload', `${POST}Content-Length: 9\r\n\r\nabc`, 'abc', ''],
  ['within both', `${POST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`, 'abc', CHUNKED],
] as const) {
  for (const how of ['closes', 'resets'] as const) {
    test(`a client that ${how} ${phase} ends the request to a lenient site`, async (t) => {
      const { client, site, proxy } = await begin(t, request, { ...LENIENT, arrived });
      if (answer) {
        site.send(answer);
        await client.receive('abc');
      }
      if (how === 'closes') client.socket.end();
      else client.reset();
      await site.closed;
      assert.doesNotMatch(site.received, /\r\n0\r\n\r\n$/);
      const alarms = proxy.lines.filter(({ level }) => level === 'error' || level === 'warn');
      assert.deepEqual(alarms, []);
    });
  }
}
