import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startUpstream } from '../support/upstream.ts';

/** Each ended the process of one proxy library or another. */
const DEADLY = [
  get('/', 'Trailer: x'),
  get('/', 'Trailer: x', 'Content-Length: 0'),
  'GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET http://a:b:c/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET http://a:99999/ HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET // HTTP/1.1\r\nHost: [\r\n\r\n',
  'GET /%ff%fe%00 HTTP/1.1\r\nHost: a\r\n\r\n',
  'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n',
  get('/', 'Expect: the-unexpected'),
  get('/', 'Connection: Upgrade', 'Upgrade: websocket'),
  get('/', 'Connection: Upgrade', 'Upgrade: h2c', 'HTTP2-Settings: AA'),
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  get('/', '__proto__: a', 'constructor: b', 'hasOwnProperty: c'),
  get('/', `X: ${'x'.repeat(100_000)}`),
  '\0'.repeat(1_000),
];

test('after all kinds of bad requests the proxy still answers a good one', async (t) => {
  const upstream = await startUpstream(t, (_req, res) => res.end('fine'));
  const proxy = await startTestProxy(t, { site: upstream.url });
  for (const bytes of DEADLY) {
    const client = connectRaw(t, proxy.port);
    client.send(bytes);
    await Promise.race([client.closed, client.receive('\r\n\r\n').catch(() => undefined)]);
    client.reset();
    await client.closed;
  }
  const answer = await ask(t, proxy.port, get('/good'));
  assert.deepEqual([answer.status, answer.body], [200, 'fine']);
  const bugs = proxy.lines.filter(({ level }) => level === 'error');
  assert.deepEqual(bugs, []);
});

test('answers of the site that ended other proxies do not end this one', async (t) => {
  const answers = [
    'HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nTrailer: x\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 204 OK\r\nTrailer: x\r\n\r\n',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
    'HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n__proto__: x\r\n\r\n',
  ];
  const upstream = await startUpstream(t, (req, res) => {
    const bytes = answers[Number(req.url?.slice(1))];
    if (bytes === undefined) res.end('fine');
    else res.socket?.end(bytes);
  });
  const proxy = await startTestProxy(t, { site: upstream.url });
  for (const index of answers.keys()) {
    const { status } = await ask(t, proxy.port, get(`/${index}`));
    assert.ok([200, 204, 502, 999].includes(status), `${answers[index]} became ${status}`);
  }
  assert.equal((await ask(t, proxy.port, get('/good'))).body, 'fine');
});
