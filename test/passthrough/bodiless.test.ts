import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { answerWith, startRawUpstream } from '../support/raw-upstream.ts';

const GET = get('/x');
const HEAD = 'HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n';
const GET_1_0 = 'GET /x HTTP/1.0\r\n\r\n';
const OLD = 'Last-Modified: Sat, 01 Jan 2000 00:00:00 GMT';

const CASES: readonly { name: string; request: string; answer: string; kept: readonly string[] }[] =
  [
    { name: 'HEAD with a length', request: HEAD, answer: '200 OK', kept: ['Content-Length: 1234'] },
    { name: 'HEAD without a length', request: HEAD, answer: '200 OK', kept: ['X-A: b'] },
    { name: 'HEAD of a 404', request: HEAD, answer: '404 Not Found', kept: ['Content-Length: 9'] },
    { name: '204', request: GET, answer: '204 No Content', kept: ['X-A: b'] },
    { name: '304', request: GET, answer: '304 Not Modified', kept: ['ETag: "a"', OLD] },
    {
      name: '304 with a length',
      request: GET,
      answer: '304 Not Modified',
      kept: ['Content-Length: 5'],
    },
    { name: '304 to HEAD', request: HEAD, answer: '304 Not Modified', kept: ['Content-Length: 5'] },
    { name: 'an empty 200', request: GET, answer: '200 OK', kept: ['Content-Length: 0'] },
    {
      name: 'an empty redirect',
      request: GET,
      answer: '302 Found',
      kept: ['Location: /y', 'Content-Length: 0'],
    },
  ];

for (const { name, request, answer, kept } of CASES) {
  test(`an answer without a body passes whole, and the connection goes on: ${name}`, async (t) => {
    const lines = kept.map((line) => `${line}\r\n`).join('');
    const upstream = await answerWith(t, `HTTP/1.1 ${answer}\r\n${lines}\r\n`);
    const proxy = await startTestProxy(t, { site: upstream.url });
    const method = request.slice(0, 4).trim();
    const client = connectRaw(t, proxy.port);
    for (let i = 0; i < 3; i++) {
      const from = client.received.length;
      client.send(request);
      const got = await readAnswer(client, { method, from });
      assert.equal(got.statusLine, `HTTP/1.1 ${answer}`);
      const passed = got.headers.map(([field, value]) => `${field}: ${value}`);
      assert.deepEqual(passed.slice(0, kept.length), kept);
      assert.deepEqual([got.body, got.rest], ['', '']);
      assert.deepEqual(got.values('transfer-encoding'), []);
    }
    assert.ok(!proxy.lines.some(({ level }) => level === 'warn' || level === 'error'));
  });
}

test('a 204 that says it has chunks loses them', async (t) => {
  const upstream = await answerWith(
    t,
    'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  );
  const proxy = await startTestProxy(t, { site: upstream.url });
  for (let i = 0; i < 2; i++) {
    const answer = await ask(t, proxy.port, GET);
    assert.deepEqual([answer.status, answer.rest], [204, '']);
    assert.deepEqual(answer.values('transfer-encoding'), []);
  }
});

for (const version of ['HTTP/1.1', 'HTTP/1.0']) {
  test(`an answer that ends with its ${version} connection is whole for the client`, async (t) => {
    const upstream = await startRawUpstream(t, (peer) => {
      peer.socket.once('data', () => {
        peer.send(`${version} 200 OK\r\nContent-Type: text/plain\r\n\r\nold server`);
        peer.socket.end();
      });
    });
    const proxy = await startTestProxy(t, { site: upstream.url });
    const client = connectRaw(t, proxy.port);
    client.send(GET);
    const answer = await readAnswer(client);
    assert.deepEqual([answer.body, answer.isWhole], ['old server', true]);
    assert.deepEqual(answer.values('transfer-encoding'), ['chunked']);
    const from = client.received.length;
    client.send(GET);
    assert.equal((await readAnswer(client, { from })).status, 200, 'the connection goes on');

    const old = await ask(t, proxy.port, GET_1_0);
    assert.deepEqual([old.body, old.isWhole], ['old server', true]);
    assert.deepEqual(old.values('transfer-encoding'), []);
  });
}

test('an answer in chunks has none for an HTTP/1.0 client', async (t) => {
  const upstream = await answerWith(
    t,
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n',
  );
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send('GET /x HTTP/1.0\r\nHost: old.test\r\nConnection: keep-alive\r\n\r\n');
  assert.equal(await client.closed, 'end');
  const answer = await readAnswer(client);
  assert.deepEqual(answer.values('transfer-encoding'), []);
  assert.deepEqual([answer.body, answer.isWhole], ['abcdef', true]);
});

test('an HTTP/1.0 client without Host is served', async (t) => {
  const upstream = await answerWith(t, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const proxy = await startTestProxy(t, { site: upstream.url });
  const answer = await ask(t, proxy.port, GET_1_0);
  assert.equal(answer.body, 'ok');
  const head = upstream.connections[0]?.received ?? '';
  assert.match(head, /^GET \/x HTTP\/1\.1\r\n/);
  assert.equal(head.match(/^host: /gim)?.length, 1);
});
