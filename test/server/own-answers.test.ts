import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { startListener } from '../support/listener.ts';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startUpstream } from '../support/upstream.ts';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
const options = (target: string, ...lines: string[]) =>
  get(target, ...lines).replace('GET', 'OPTIONS');

test('a question about the server itself is answered here', async (t) => {
  const listener = await startListener(t);
  const client = connectRaw(t, listener.port);
  for (const request of [options('*'), options('/page', 'Max-Forwards: 0')]) {
    const from = client.received.length;
    client.send(request);
    const answer = await readAnswer(client, { from });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.values('allow'), [METHODS]);
    assert.deepEqual(answer.values('content-length'), ['0']);
  }
  assert.deepEqual(listener.peers, []);
});

test('a malformed question about the server is refused like any request', async (t) => {
  const listener = await startListener(t);
  const refused: Record<string, string> = {
    BAD_HOST: options('*', 'Host: other'),
    BAD_TRANSFER_ENCODING: `${options('*', 'Transfer-Encoding: gzip, chunked')}0\r\n\r\n`,
  };
  for (const [code, request] of Object.entries(refused)) {
    const answer = await ask(t, listener.port, request);
    assert.match(answer.body, new RegExp(`^${code}: `));
  }
});

test('a question with a body ends its connection, when the body is not there yet', async (t) => {
  const listener = await startListener(t);
  const client = connectRaw(t, listener.port);
  client.send(options('*', 'Content-Length: 100'));
  assert.deepEqual((await readAnswer(client)).values('connection'), ['close']);
  await client.closed;
});

test('of the hops that are left to a question one is used up here', async (t) => {
  let seen: IncomingMessage | undefined;
  const listener = await startListener(t, {
    onRequest(req, res) {
      seen = req;
      res.end();
    },
  });
  const values: Record<string, string> = { 3: '2', 10: '9', x: 'x', '-1': '-1' };
  for (const [sent, passed] of Object.entries(values)) {
    await ask(t, listener.port, options('/page', 'X: 1', `Max-Forwards: ${sent}`));
    const at = seen?.rawHeaders.indexOf('Max-Forwards') ?? -1;
    assert.equal(seen?.rawHeaders[at + 1], passed);
  }
  await ask(t, listener.port, get('/page', 'Max-Forwards: 3'));
  assert.ok(seen?.rawHeaders.includes('3'), 'of other methods it says nothing');
});

for (const request of [
  get().replace('GET', 'TRACE'),
  'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n',
]) {
  const method = request.split(' ', 1)[0];
  test(`${method} is refused, and what is passed on is named`, async (t) => {
    const upstream = await startUpstream(t, (_req, res) => res.end());
    const proxy = await startTestProxy(t, { site: upstream.url });
    const answer = await ask(t, proxy.port, request, 'GET');
    assert.equal(answer.status, 405);
    assert.match(answer.body, /^METHOD_NOT_PASSED_ON: /);
    assert.deepEqual(answer.values('allow'), [METHODS]);
    assert.deepEqual(upstream.requests, []);
  });
}

test('a method that a stream does not have is refused, and those that it has are named', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.end('1'));
  const live = { '/x': { every: '10s', vary: [] } };
  const proxy = await startTestProxy(t, { site: upstream.url, live });
  for (const method of ['POST', 'DELETE']) {
    const answer = await ask(t, proxy.port, get('/_comet/sse?url=/x').replace('GET', method));
    assert.deepEqual([answer.status, answer.values('allow')], [405, ['GET, OPTIONS']]);
  }
});
