import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get } from '../support/raw-answer.ts';
import { answerWith } from '../support/raw-upstream.ts';
import { startUpstream } from '../support/upstream.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const VERSION = 'Sec-WebSocket-Version: 13';

const OFFERS: Record<string, readonly string[]> = {
  h2c: ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'],
  TLS: ['Connection: Upgrade', 'Upgrade: TLS/1.0'],
  'WebSocket or h2c': ['Connection: Upgrade', 'Upgrade: websocket, h2c', VERSION, KEY],
  'a WebSocket without a key': ['Connection: Upgrade', 'Upgrade: websocket', VERSION],
  'a WebSocket with a short key': [
    ...['Connection: Upgrade', 'Upgrade: websocket', VERSION, 'Sec-WebSocket-Key: abc'],
  ],
  'a WebSocket of another version': [
    ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 8', KEY],
  ],
};

for (const [name, lines] of Object.entries(OFFERS)) {
  test(`an offer that we do not take is answered as a plain request: ${name}`, async (t) => {
    const upstream = await answerWith(t, OK);
    const proxy = await startTestProxy(t, { site: upstream.url });
    const answer = await ask(t, proxy.port, get('/page', ...lines));
    assert.deepEqual([answer.status, answer.body], [200, 'ok']);
    const head = upstream.connections[0]?.received ?? '';
    assert.match(head, /^GET \/page HTTP\/1\.1\r\n/);
    assert.doesNotMatch(head, /^upgrade:|^http2-settings:|^connection:.*upgrade/im);
  });
}

test('an offer under our own path gets our own answer', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const answer = await ask(t, proxy.port, get('/_comet/x', ...(OFFERS['h2c'] ?? [])));
  assert.equal(answer.status, 404);
});

test('a large answer to a declined offer arrives whole', { timeout: 30_000 }, async (t) => {
  const body = Buffer.alloc(8 * 1_024 * 1_024, 'x');
  const upstream = await startUpstream(t, (_req, res) => res.end(body));
  const proxy = await startTestProxy(t, { site: upstream.url });
  const answer = await ask(t, proxy.port, get('/big', ...(OFFERS['h2c'] ?? [])));
  assert.equal(answer.body.length, body.length);
});

test('a declined offer with a body is refused: it cannot be told from a request', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const lines = OFFERS['h2c'] ?? [];
  for (const framing of ['Content-Length: 3', 'Transfer-Encoding: chunked']) {
    const request = get('/page', ...lines, framing).replace('GET', 'POST');
    const answer = await ask(t, proxy.port, `${request}abc`);
    assert.equal(answer.status, 400);
    assert.match(answer.body, /^BAD_UPGRADE: /);
  }
  assert.equal(upstream.connections.length, 0);
});

test('what follows a declined offer is not read as a request', async (t) => {
  const upstream = await answerWith(t, OK);
  const proxy = await startTestProxy(t, { site: upstream.url });
  const request = get('/page', ...(OFFERS['h2c'] ?? []));
  const answer = await ask(t, proxy.port, request + get('/smuggled'));
  assert.deepEqual([answer.status, answer.values('connection')], [200, ['close']]);
  assert.ok(!upstream.connections[0]?.received.includes('/smuggled'));
});
