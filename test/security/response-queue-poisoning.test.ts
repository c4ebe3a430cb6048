import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestProxy } from '../support/proxy.ts';
import { ask, get, readAnswer } from '../support/raw-answer.ts';
import { connectRaw } from '../support/raw-peer.ts';
import { startRawUpstream } from '../support/raw-upstream.ts';

const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';
const ROUNDS = 10;

/** Answers each request by its path, but `/spoilt` by these bytes. */
function startSite(t: Parameters<typeof startRawUpstream>[0], answer: string) {
  return startRawUpstream(t, (peer) => {
    peer.socket.on('data', () => {
      const path = peer.received.split('GET /').at(-1)?.split(' ', 1)[0] ?? '';
      peer.send(
        path === 'spoilt'
          ? answer
          : `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`,
      );
    });
  });
}

const SPOILT: Record<string, string> = {
  'behind a length': `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${POISON}`,
  'behind the last chunk': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${POISON}`,
  'behind a 204': `HTTP/1.1 204 No Content\r\n\r\n${POISON}`,
  'behind a 304': `HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n${POISON}`,
  'as the body of a 204': 'HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\npoison',
  'half a head':
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nX-Poison: 1\r\nX',
};

for (const [name, bytes] of Object.entries(SPOILT)) {
  test(`bytes behind an answer never answer somebody else: ${name}`, async (t) => {
    const upstream = await startSite(t, bytes);
    const proxy = await startTestProxy(t, { site: upstream.url });
    for (let round = 0; round < ROUNDS; round++) {
      await ask(t, proxy.port, get('/spoilt'));
      const answer = await ask(t, proxy.port, get(`/mine${round}`));
      assert.deepEqual([answer.status, answer.body], [200, `mine${round}`]);
      assert.deepEqual(answer.values('x-poison'), []);
    }
  });
}

test('bytes that arrive on an idle connection never answer somebody else', async (t) => {
  const upstream = await startSite(t, '');
  const proxy = await startTestProxy(t, { site: upstream.url });
  for (let round = 0; round < ROUNDS; round++) {
    await ask(t, proxy.port, get(`/before${round}`));
    upstream.connections.at(-1)?.send(POISON);
    const answer = await ask(t, proxy.port, get(`/mine${round}`));
    assert.deepEqual([answer.status, answer.body], [200, `mine${round}`]);
  }
  assert.ok(upstream.connections.length > ROUNDS, 'a connection that spoke unasked is given up');
});

test('bytes that were in the kernel before a request never answer it', async (t) => {
  const upstream = await startSite(t, '');
  const proxy = await startTestProxy(t, { site: upstream.url });
  for (let round = 0; round < ROUNDS; round++) {
    await ask(t, proxy.port, get(`/before${round}`));
    const client = connectRaw(t, proxy.port);
    await new Promise((resolve) => client.socket.once('connect', resolve));
    const idle = upstream.connections.at(-1);
    // Both are there when the loop turns: whichever socket it looks at first.
    idle?.send(POISON);
    client.send(get(`/mine${round}`));
    const until = performance.now() + 5;
    while (performance.now() < until);
    const answer = await readAnswer(client);
    assert.deepEqual([answer.status, answer.body], [200, `mine${round}`]);
  }
});
