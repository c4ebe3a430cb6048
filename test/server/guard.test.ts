import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, parseAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { answerWith } from '../support/raw-upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

function many(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `X-${i}: y`);
}

const REFUSED: readonly (readonly [name: string, request: string, status: number, code: string])[] =
  [
    ['two hosts', get('/', 'Host: b'), 400, 'BAD_HOST'],
    ['the same host twice', get('/', 'Host: site.test'), 400, 'BAD_HOST'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400, 'BAD_(?:HOST|REQUEST)'],
    ['two hosts in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'BAD_HOST'],
    ['a bad host in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a/b\r\n\r\n', 400, 'BAD_HOST'],
    ...[
      '',
      'a b',
      'a/b',
      'user@a',
      'a:b',
      'a:123456',
      '[::1',
      'a,b',
      'caf\xe9',
      '"a"',
      'a?b',
      'a\\b',
    ].map(
      (host) =>
        [`the host "${host}"`, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 400, 'BAD_HOST'] as const,
    ),
    ['too many headers', get('/', ...many(200)), 431, 'HEADERS_TOO_LARGE'],
    ['far too many headers', get('/', ...many(1_900)), 431, 'HEADERS_TOO_LARGE'],
    ['a large header', get('/', `X: ${'y'.repeat(17_000)}`), 431, 'HEADERS_TOO_LARGE'],
    ['a long target', get(`/${'a'.repeat(8_192)}`), 414, 'URI_TOO_LONG'],
    ['another protocol version', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505, 'HTTP_VERSION'],
    ['no request at all', 'hello\r\n\r\n', 400, 'BAD_REQUEST'],
    ['an unknown method', 'HELO / HTTP/1.1\r\nHost: a\r\n\r\n', 400, 'BAD_REQUEST'],
    ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 405, 'METHOD_NOT_PASSED_ON'],
  ];

for (const [name, request, status, code] of REFUSED) {
  test(`${name} is refused with ${status}`, async (t) => {
    const upstream = await answerWith(t, OK);
    const proxy = await startTestProxy(t, { site: upstream.url });
    const answer = await ask(t, proxy.port, request, 'GET');
    assert.equal(answer.status, status);
    assert.match(answer.body, new RegExp(`^${code}: .*\n$`));
    assert.deepEqual(answer.values('content-type'), ['text/plain; charset=utf-8']);
    assert.deepEqual(answer.values('x-content-type-options'), ['nosniff']);
    assert.equal(upstream.connections.length, 0);
    assert.equal((await ask(t, proxy.port, get('/good'))).body, 'ok', 'the proxy goes on');
  });
}

const TAKEN: Record<string, string> = {
  'as many headers as are allowed': get('/', ...many(199)),
  'a target of the longest length': get(`/${'a'.repeat(8_191)}`),
  'a port': 'GET / HTTP/1.1\r\nHost: a:8080\r\n\r\n',
  'an IPv6 address': 'GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n',
  'an underscore in the host': 'GET / HTTP/1.1\r\nHost: my_app.local\r\n\r\n',
  'HTTP/1.0': 'GET / HTTP/1.0\r\n\r\n',
  'empty lines before the request': `\r\n\r\n${get()}`,
  'Transfer-Encoding: Chunked':
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n',
};

for (const [name, request] of Object.entries(TAKEN)) {
  test(`a request is taken with ${name}`, async (t) => {
    const upstream = await answerWith(t, OK);
    const proxy = await startTestProxy(t, { site: upstream.url });
    assert.equal((await ask(t, proxy.port, request, 'GET')).status, 200);
  });
}

test('a connection that speaks no HTTP is closed after one answer', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  client.send(`nonsense\r\n\r\n${get('/after')}`);
  await client.closed;
  const answer = parseAnswer(client.received);
  assert.deepEqual([answer?.status, answer?.rest], [400, '']);
  assert.deepEqual(answer?.values('connection'), ['close']);
  assert.equal(upstream.connections.length, 0);
});

test('a refused request with a body does not leave it to be read as the next one', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const client = connectRaw(t, proxy.port);
  const body = get('/smuggled');
  const head = `POST /_comet/x HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length + 5}\r\n\r\n`;
  client.send(head + body);
  await client.receive('NOT_FOUND');
  await client.closed;
  assert.equal(upstream.connections.length, 0);
});
